// How it looks. Everything can be set from outside by custom properties; light or dark is the page's `color-scheme`.

const CSS = `
:host { display: inline-block; vertical-align: middle; }
:host([hidden]), [hidden] { display: none !important; }

/* Nothing of the page comes in but its direction, the colour around the bell, and light or dark. */
.root {
  all: initial; color: inherit; color-scheme: inherit; visibility: inherit;
  --accent: var(--belfry-accent, light-dark(#3f4bc4, #a0a9ff));
  --on-accent: var(--belfry-on-accent, light-dark(#fff, #15172b));
  --surface: var(--belfry-surface, light-dark(#fff, #1b1e25));
  --ink: var(--belfry-ink, light-dark(#191c23, #eef0f5));
  --soft: var(--belfry-soft, light-dark(#596171, #a9b1bf));
  --line: var(--belfry-line, light-dark(#e6e8ee, #2d323c));
  --hover: var(--belfry-hover, light-dark(#f5f6f9, #232731));
  font: 15px/1.45 var(--belfry-font, system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", sans-serif);
}
.root * { box-sizing: border-box; }
p, h2, ul { margin: 0; padding: 0; list-style: none; unicode-bidi: plaintext; text-align: match-parent; text-align: -webkit-match-parent; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: start; }
svg { display: block; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

.bell { position: relative; display: block; padding: 8px; border-radius: 50%; }
.bell:hover { background: #8882; }
.bell svg { width: var(--belfry-bell-size, 24px); height: auto; transform-origin: 50% 8%; }
:is([data-status="offline"], [data-status="signed-out"]) .bowl { stroke-dasharray: 2.5 3.2; transition: stroke-dasharray 0s 2s; }
.badge {
  position: absolute; top: -1px; inset-inline-start: 58%; min-width: 18px; padding: 0 5px;
  border-radius: 9px; background: var(--accent); color: var(--on-accent); text-align: center;
  font-size: 11px; font-weight: 650; line-height: 18px; box-shadow: 0 0 0 2px var(--belfry-badge-ring, Canvas);
}

.panel {
  position: fixed; inset: auto; margin: 0; padding: 0; border: 1px solid var(--line); z-index: 2147483000;
  width: min(var(--belfry-panel-width, 400px), 100vw - 16px); height: var(--belfry-panel-height, 620px);
  display: flex; flex-direction: column; overflow: hidden;
  background: var(--surface); color: var(--ink); border-radius: var(--belfry-radius, 16px);
  box-shadow: 0 18px 48px -8px light-dark(#191c232e, #000a);
}
.panel:focus, .scroll:focus { outline: 0; }
header { display: flex; align-items: flex-start; gap: 12px; padding: 22px 24px 10px; }
.titles { flex: 1; }
h2 { font-size: 1.4em; font-weight: 650; line-height: 1.2; letter-spacing: -.015em; }
.summary, .offline, .offer, .quiet, .text { color: var(--soft); font-size: .87em; }
.summary { min-height: 1.45em; margin-top: 2px; }
.quiet, .text { padding: 4px 0; font-size: 13px; font-weight: 550; }
.text { color: var(--accent); }
.quiet:hover, [role="tab"]:hover { color: var(--ink); }
.close { display: none; }

.tabs { display: flex; gap: 22px; padding-inline: 24px; border-bottom: 1px solid var(--line); }
[role="tab"] { padding: 8px 0 10px; color: var(--soft); font-size: .93em; font-weight: 550; border-bottom: 2px solid transparent; margin-bottom: -1px; }
[role="tab"][aria-selected="true"] { color: var(--ink); border-color: var(--accent); }
.offline:not(:empty) { padding: 8px 24px; border-bottom: 1px solid var(--line); animation: appear .3s 1.5s both; }
.scroll { flex: 1; overflow-y: auto; overscroll-behavior: contain; scrollbar-width: thin; display: flex; flex-direction: column; }
.end { height: 1px; }

.row { position: relative; display: flex; padding: 15px 24px; }
.row + .row::before { content: ""; position: absolute; inset: 0 24px auto; border-top: 1px solid var(--line); }
.row:hover, .row:focus-within { background: var(--hover); }
.is-unread::after { content: ""; position: absolute; top: 22px; inset-inline-start: 10px; border: 3.5px solid var(--accent); border-radius: 50%; }
.body { flex: 1; min-width: 0; }
.main { display: block; width: 100%; color: var(--soft); font-weight: 500; text-decoration: none; }
/* all of the row is the link */
.main::after { content: ""; position: absolute; inset: 0; }
.main:focus-visible { outline: 0; }
.main:focus-visible::after { outline: 2px solid var(--accent); outline-offset: -3px; border-radius: 8px; }
a.main:hover { text-decoration: underline; text-underline-offset: 3px; }
.is-unread .main { color: var(--ink); font-weight: 620; }
.main bdi, .content { display: block; overflow-wrap: anywhere; unicode-bidi: isolate; text-align: start; }
.content { margin-top: 3px; color: var(--soft); font-size: .93em; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.is-open .content { display: block; white-space: pre-line; max-height: 40vh; overflow-y: auto; position: relative; z-index: 1; }
.meta { display: flex; flex-wrap: wrap; margin-top: 6px; color: var(--soft); font-size: .8em; }
.meta > * + *::before { content: "·"; margin-inline: .45em; }
.meta bdi { display: inline-block; max-width: 15em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom; }
.urgent { color: var(--ink); font-weight: 650; }
.acts { position: absolute; z-index: 1; top: 9px; inset-inline-end: 14px; display: flex; border-radius: 8px; background: var(--hover); opacity: 0; }
.row:hover .acts, .row:focus-within .acts { opacity: 1; }
.act { padding: 6px; border-radius: 8px; color: var(--soft); }
.act:hover { color: var(--ink); background: var(--line); }
.act svg { width: 19px; }

.message { padding: 32px 40px 56px; text-align: center; color: var(--soft); font-size: .93em; }
.note:has(.message) { margin: auto 0; }
.message svg { width: 128px; margin: 0 auto 18px; stroke-width: 1.6; color: #8889; }
.message .accent { color: var(--accent); stroke-width: 2; }
.headline { margin-bottom: 4px; font-size: 18px; font-weight: 620; color: var(--ink); }
.bones { padding: 18px 24px; display: grid; gap: 10px; }
.bones i { width: 88%; height: 10px; border-radius: 5px; background: var(--line); }
.bones i:last-child { width: 30%; }

.toast { position: absolute; inset: auto 16px 16px; display: flex; justify-content: space-between; align-items: center; padding: 8px 16px; border-radius: 11px; z-index: 2;
  background: var(--ink); color: var(--surface); box-shadow: 0 8px 24px -6px #0006; }
.toast .text { color: inherit; text-decoration: underline; text-underline-offset: 3px; }
.offer { display: flex; align-items: center; gap: 18px; padding: 12px 24px; border-top: 1px solid var(--line); }
.offer p { flex: 1; }

.rings svg { animation: ring .9s ease-in-out; }
@keyframes ring { 15% { rotate: 14deg; } 35% { rotate: -11deg; } 55% { rotate: 7deg; } 75% { rotate: -4deg; } }
@keyframes appear { from { opacity: 0; } }

@media (hover: none) { .acts { position: static; align-self: start; margin: -5px -8px 0 8px; background: none; opacity: 1; } }
@media (max-width: 480px) {
  .panel { inset: auto 0 0 !important; width: 100%; height: 88dvh; max-height: none !important; border-width: 1px 0 0; border-radius: 16px 16px 0 0; }
  .close { display: block; margin-inline-end: -8px; }
}
@media (prefers-reduced-motion: reduce) { .root * { animation: none !important; } }
`;

let sheet = null;

/** One sheet for all bells of a page. A constructed sheet is none that a content security policy could forbid. */
export function styles() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
