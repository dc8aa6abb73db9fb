// What a tab says of itself: its title and its icon, both with the badge.

const MOST = 99;

export class Icon {
  #count = null;
  #title = "Belfry";

  /** The badge; null: not known, or nobody's. */
  show(count) {
    if (count === this.#count) return;
    this.#count = count;
    const link = document.querySelector("link[rel='icon']");
    link.href = new URL(`icon.svg${count ? `?unread=${Math.min(count, MOST + 1)}` : ""}`, import.meta.url).href;
    this.#write();
  }

  /** The page's name, and the application's. */
  of(title, application) {
    this.#title = title ? `${title} · ${application}` : application;
    this.#write();
  }

  #write() {
    const count = this.#count > MOST ? `${MOST}+` : this.#count;
    document.title = count ? `(${count}) ${this.#title}` : this.#title;
  }
}
