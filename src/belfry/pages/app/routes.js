// The pages: one row each. docs/app.md tells what a row and a page are.

import * as icons from "./ui/icons.js";

const ROLES = {
  users: ["member", "sender", "admin"],
  senders: ["sender", "admin"],
  admins: ["admin"],
};

const LINKS = ["/reset", "/verify", "/invite"]; // in mails, with a token; afterwards without

/**
 * `paths` may hold `:names`. `who` is "users", "senders", "admins", "strangers" (nobody is signed in) or "anybody";
 * the last two have no sidebar. With an `icon` a page is in the sidebar, in a `group`: its words are those of its `name` in
 * frame.words.js; a page without one may stand `under` another. `where(app)` resolves to whether there is such a page here.
 */
export const ROUTES = [
  { name: "inbox", paths: ["/", "/n/:id"], who: "users", load: () => import("./pages/inbox/page.js"), group: "mine", icon: icons.inbox },
  { name: "settings", paths: ["/settings"], who: "users", load: () => import("./pages/settings/page.js"), group: "mine", icon: icons.settings },
  { name: "send", paths: ["/send"], who: "users", load: () => import("./pages/send/page.js"), group: "sending", icon: icons.send },
  { name: "sent", paths: ["/sent"], who: "users", load: () => import("./pages/sent/page.js"), group: "sending", icon: icons.sent },
  { name: "broadcasts", paths: ["/broadcasts"], who: "senders", load: () => import("./pages/broadcasts/list.js"), group: "sending", icon: icons.broadcast },
  { name: "broadcast", paths: ["/broadcasts/:id"], who: "senders", load: () => import("./pages/broadcasts/page.js"), under: "broadcasts" },
  { name: "schedules", paths: ["/schedules"], who: "senders", load: () => import("./pages/schedules/list.js"), group: "sending", icon: icons.schedule },
  { name: "newSchedule", paths: ["/schedules/new"], who: "senders", load: () => import("./pages/schedules/make.js"), under: "schedules" },
  { name: "schedule", paths: ["/schedules/:id"], who: "senders", load: () => import("./pages/schedules/page.js"), under: "schedules" },
  { name: "trace", paths: ["/trace/:id"], who: "users", load: () => import("./pages/trace/page.js"), under: "sent" },
  { name: "users", paths: ["/users"], who: "admins", load: () => import("./pages/users/page.js"), group: "running", icon: icons.people },
  { name: "queue", paths: ["/queue", "/queue/failed", "/queue/suppressed"], who: "admins", load: () => import("./pages/queue/page.js"), group: "running", icon: icons.queue },
  { name: "audit", paths: ["/audit"], who: "admins", load: () => import("./pages/audit/page.js"), group: "running", icon: icons.audit },
  { name: "mail", paths: ["/mail", "/mail/:id"], who: "admins", load: () => import("./pages/mail/page.js"), group: "running", icon: icons.mail, where: isMailCaught },
  { name: "signIn", paths: ["/sign-in"], who: "strangers", load: () => import("./pages/account/sign-in.js") },
  { name: "register", paths: ["/register"], who: "strangers", load: () => import("./pages/account/register.js") },
  { name: "forgot", paths: ["/forgot"], who: "strangers", load: () => import("./pages/account/forgot.js") },
  { name: "link", paths: LINKS.flatMap((path) => [path, `${path}/:token`]), who: "anybody", load: () => import("./pages/account/link.js") },
];

export const MISSING = { name: "missing", who: "anybody", load: () => import("./pages/missing.js") };
export const SIGN_IN = ROUTES.find(({ name }) => name === "signIn");

/** Under `just up` mail is caught instead of sent. */
async function isMailCaught(app) {
  return (await app.api.get("v1/auth/rules")).mail_is_caught;
}

/** Whether a page is for somebody; null is nobody. */
export function admits({ who }, me) {
  if (who === "anybody") return true;
  return who === "strangers" ? !me : ROLES[who].includes(me?.role);
}

/** Where an address leads: `{route, path, parameters, query}`. Its `#/n/7?view=unread` is path and query. */
export function placeOf(hash) {
  const { pathname: path, searchParams: query } = new URL(hash.replace(/^#\/?/, "/"), "https://belfry");
  for (const route of ROUTES) {
    for (const pattern of route.paths) {
      const parameters = match(pattern, path);
      if (parameters) return { route, path, parameters, query };
    }
  }
  return { route: MISSING, path, parameters: {}, query };
}

function match(pattern, path) {
  const [names, parts] = [pattern.split("/"), path.split("/")];
  if (names.length !== parts.length) return null;
  const parameters = {};
  for (const [index, name] of names.entries()) {
    if (name.startsWith(":") && parts[index]) parameters[name.slice(1)] = decodeURIComponent(parts[index]);
    else if (name !== parts[index]) return null;
  }
  return parameters;
}
