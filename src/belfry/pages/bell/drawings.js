// The drawings: lines on a square, in the colour of the text around them.

export const SVG = "http://www.w3.org/2000/svg";

/** `paths` are what is drawn, each with a class or none. */
export function drawing(size, ...paths) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("aria-hidden", "true");
  for (const [d, kind = ""] of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", kind);
    svg.append(path);
  }
  return svg;
}

export const bell = () =>
  drawing(
    24,
    ["M12 3.2V1.6M9.8 19.8c.4 1 1.2 1.6 2.2 1.6s1.8-.6 2.2-1.6"],
    ["M12 3.2c-3.9 0-6 2.9-6 6.4 0 4.2-1 5.8-2.2 7.2h16.4C19 15.4 18 13.8 18 9.6c0-3.5-2.1-6.4-6-6.4z", "bowl"],
  );

export const check = () => drawing(24, ["M5 12.8l4.6 4.4L19 7.4"]);

export const dot = () => drawing(24, ["M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10z"]);

export const bin = () => drawing(24, ["M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.9 12.5h9.2L17.5 7M10.2 11v5M13.8 11v5"]);

export const cross = () => drawing(24, ["M6 6l12 12M18 6L6 18"]);

/** A belfry, its bell at rest. */
export const belfry = () =>
  drawing(
    120,
    ["M14 110h92M24 110V56a36 36 0 0 1 72 0v54M36 110V58a24 24 0 0 1 48 0v52M37 52h46"],
    ["M60 52v5M60 57c-8 0-12 6-12 13 0 8-2 12-5 15h34c-3-3-5-7-5-15 0-7-4-13-12-13zM56 90c.7 2 2.2 3 4 3s3.3-1 4-3", "accent"],
  );
