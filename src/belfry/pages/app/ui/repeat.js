// What a page looks at again and again.

import { Away } from "../../bell/api.js";

/**
 * Do `work` now and then every so many seconds, while the tab is seen. That Belfry is away is said by the frame, and it is
 * tried again; anything else ends it.
 */
export function repeat(seconds, work, signal) {
  let timer;
  let working = false;
  const turn = async () => {
    clearTimeout(timer);
    if (signal.aborted || working || document.hidden) return;
    working = true;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Away)) throw error;
    } finally {
      working = false;
    }
    if (!signal.aborted) timer = setTimeout(turn, seconds * 1000);
  };
  document.addEventListener("visibilitychange", turn, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  turn();
}
