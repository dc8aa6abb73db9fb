// Belfry's application. docs/app.md tells how it is made up and how to add a page.

import { App } from "./app.js";

new App(document.body).start();
