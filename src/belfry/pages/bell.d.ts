/** A notification, as lists and the stream show it. */
export interface BelfryNotification {
  readonly id: number;
  readonly type: "personal" | "broadcast";
  readonly title: string;
  readonly content: string;
  readonly link: string | null;
  /** 5 is urgent, 1 never alerts. */
  readonly priority: number;
  readonly tags: readonly string[];
  readonly channels: readonly ("inbox" | "email" | "desktop")[];
  readonly sender: { readonly id: number; readonly name: string } | null;
  readonly state: "read" | "unread";
  /** That of its e-mail. */
  readonly status: string;
  /** Moments are in ISO 8601. */
  readonly created_at: string;
  readonly updated_at: string;
  readonly read_at: string | null;
  readonly send_at?: string;
  readonly expires_at?: string;
}

/** Gives a bearer token. It is called when one is needed, and again with the token that was refused. */
export type TokenProvider = (refused?: string) => string | Promise<string>;

export declare class BelfryBell extends HTMLElement {
  /** Where Belfry is, ending in a slash: the attribute `src`, or where this script came from. */
  readonly src: string;
  /** Null: the session cookie, on Belfry's own origin. */
  token: TokenProvider | null;
  /** The badge's number; null before it is known. */
  readonly count: number | null;
  /** What is loaded, newest first. */
  readonly items: readonly BelfryNotification[];
  readonly status: "connecting" | "live" | "offline" | "signed-out";
  readonly isOpen: boolean;
  open(): void;
  close(): void;
  toggle(): void;
  /** Mark read everything that has arrived by now, loaded or not. */
  markAllRead(): Promise<void>;
}

declare global {
  interface HTMLElementTagNameMap {
    "belfry-bell": BelfryBell;
  }
  interface HTMLElementEventMap {
    "belfry:notification": CustomEvent<BelfryNotification>;
    "belfry:count": CustomEvent<{ readonly count: number }>;
  }
  interface WindowEventMap {
    "belfry:notification": CustomEvent<BelfryNotification>;
    "belfry:count": CustomEvent<{ readonly count: number }>;
  }
}
