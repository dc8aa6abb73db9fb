// Style sheets of pages, loaded with the page.

const sheets = new Map(); // those of the page itself are there from the beginning
for (const { href } of document.querySelectorAll("link[rel='stylesheet']")) sheets.set(href, Promise.resolve());

/** Resolves when a style sheet is in force. `url` is of this origin. */
export function styled(url) {
  const { href } = new URL(url);
  if (!sheets.has(href)) {
    const link = document.createElement("link");
    const loaded = new Promise((resolve, reject) => {
      link.onload = resolve;
      link.onerror = () => reject(new Error(`${href} could not be loaded`));
    });
    Object.assign(link, { rel: "stylesheet", href });
    document.head.append(link);
    sheets.set(href, loaded.catch((error) => {
      sheets.delete(href);
      link.remove();
      throw error;
    }));
  }
  return sheets.get(href);
}
