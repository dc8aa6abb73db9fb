// The drawings of the application, in the manner of the bell's: each call makes one.

import { drawing } from "../../bell/drawings.js";

export { belfry, bell, bin, check, cross, dot } from "../../bell/drawings.js";

const icon = (...paths) => () => drawing(24, ...paths.map((d) => [d]));

export const inbox = icon("M3.5 13.5l3-8h11l3 8v5h-17zM3.5 13.5h5l1.2 2.5h4.6l1.2-2.5h5");
export const settings = icon("M4 7.5h9M17 7.5h3M4 16.5h3M11 16.5h9M13 7.5a2 2 0 1 0 4 0 2 2 0 0 0-4 0zM7 16.5a2 2 0 1 0 4 0 2 2 0 0 0-4 0z");
export const send = icon("M20.5 3.5l-7 17-3-7-7-3zM20.5 3.5l-10 10");
export const broadcast = icon("M4.5 10v4h3.5l6.5 4.5v-13L8 10zM18 9a4.5 4.5 0 0 1 0 6");
export const people = icon("M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5c.5-3.5 3-5.5 6.5-5.500s6 2 6.5 5.500M16 4.800a3.5 3.5 0 0 1 0 6.400M18 14.500c2 .7 3.2 2.5 3.5 5");
export const queue = icon("M4 6.500h16M4 12h11M4 17.500h6");
export const mail = icon("M3.5 6h17v12.500h-17zM3.5 7l8.5 6.500L20.5 7");
export const trace = icon("M6 4v16M6 6.500h3M6 12h7M6 17.500h11");
export const menu = icon("M4 7h16M4 12h16M4 17h16");
export const search = icon("M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.500L20.5 20.5");
export const back = icon("M14.5 5.500L8 12l6.5 6.5");
export const forward = icon("M9.5 5.500L16 12l-6.5 6.5");
export const leave = icon("M10 4.500H5v15h5M14 8l4 4-4 4M18 12H9.5");
export const outside = icon("M13.5 4.500h6v6M19.5 4.500L11 13M17 14v5.500H4.500V7H10");
