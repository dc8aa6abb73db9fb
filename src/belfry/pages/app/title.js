// What a tab says of itself: its title and its icon, both with the badge.

const MOST = 99;

export class Icon {
  #count = null;
  #application = "Belfry";
  title = "";

  /** The badge; null: not known, or nobody's. */
  show(count) {
    if (count === this.#count) return;
    this.#count = count;
    const link = document.querySelector("link[rel='icon']");
    link.href = new URL(`app/icon.svg${count ? `?unread=${Math.min(count, MOST + 1)}` : ""}`, document.baseURI).href;
    this.#write();
  }

  /** The page's name, and the application's. */
  entitle(title, application) {
    this.title = title;
    this.#application = application;
    this.#write();
  }

  #write() {
    const count = this.#count > MOST ? `${MOST}+` : this.#count;
    const title = this.title ? `${this.title} · ${this.#application}` : this.#application;
    document.title = count ? `(${count}) ${title}` : title;
  }
}
