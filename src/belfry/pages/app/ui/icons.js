// The drawings of the application, in the manner of the bell's: each call makes one.

import { drawing } from "../../bell/dom.js";

export { belfry, bell, bin, check, cross, dot } from "../../bell/dom.js";

const icon = (...paths) => () => drawing(24, ...paths.map((d) => [d]));

export const inbox = icon("M3.5 13.5l3-8h11l3 8v5h-17zM3.5 13.5h5l1.2 2.5h4.6l1.2-2.5h5");
export const settings = icon("M4 7.5h9M17 7.5h3M4 16.5h3M11 16.5h9M13 7.5a2 2 0 1 0 4 0 2 2 0 0 0-4 0zM7 16.5a2 2 0 1 0 4 0 2 2 0 0 0-4 0z");
export const send = icon("M20.5 3.5l-7 17-3-7-7-3zM20.5 3.5l-10 10");
export const broadcast = icon("M4.5 10v4h3.5l6.5 4.5v-13L8 10zM18 9a4.5 4.5 0 0 1 0 6");
export const people = icon("M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5c.5-3.5 3-5.5 6.5-5.5s6 2 6.5 5.5M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.5c2 .7 3.2 2.5 3.5 5");
export const queue = icon("M4 6.5h16M4 12h11M4 17.5h6");
export const mail = icon("M3.5 6h17v12.5h-17zM3.5 7l8.5 6.5L20.5 7");
export const sent = icon("M3 12.8l4.4 4.2L16 7.5M11.5 16.6l.5.4L21 7.5");
export const schedule = icon("M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 7.5v5l3.2 2");
export const audit = icon("M6 3.5h12v17H6zM9 8h6M9 12h6M9 16h3.5");
export const trace = icon("M6 4v16M6 6.5h3M6 12h7M6 17.5h11");
export const menu = icon("M4 7h16M4 12h16M4 17h16");
export const search = icon("M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20.5 20.5");
export const back = icon("M14.5 5.5L8 12l6.5 6.5");
export const backward = icon("M5.5 14.5L12 8l6.5 6.5");
export const forward = icon("M5.5 9.5L12 16l6.5-6.5");
export const leave = icon("M10 4.5H5v15h5M14 8l4 4-4 4M18 12H9.5");
export const outside = icon("M13.5 4.5h6v6M19.5 4.5L11 13M17 14v5.5H4.5V7H10");
export const keyboard = icon("M3 6.5h18v11H3zM6.5 10h.01M10 10h.01M13.5 10h.01M17 10h.01M7.5 14h9");
