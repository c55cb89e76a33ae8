/** The look of the page at `/docs`. A dashed outline means scaffold: a placeholder. No rule may load anything. */
export const STYLE = `
:root { color-scheme: light dark; --bg: light-dark(#fcfcfb, #131518); --card: light-dark(#fff, #1a1d21); --sunk: light-dark(#f4f4f1, #101215);
  --ink: light-dark(#1d2024, #e6e7e9); --soft: light-dark(#5c636d, #9ba2ac); --line: light-dark(#e4e4df, #2b2f35);
  --accent: light-dark(#1d5f8f, #7db9e8); --on-accent: light-dark(#fff, #0d1720); --wash: light-dark(#e9f1f7, #1c2a36);
  --green: light-dark(#1b6f4a, #70c99b); --amber: light-dark(#8a5a00, #e3b25c); --red: light-dark(#b3302c, #f08d86); --violet: light-dark(#6546a8, #b7a0ee);
  --amber-wash: light-dark(#fdf6e7, #2a2317);
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
[data-theme=light] { color-scheme: light } [data-theme=dark] { color-scheme: dark }
* { box-sizing: border-box } [hidden] { display: none !important }
html { scroll-padding-top: 72px; -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
a { color: inherit; text-decoration: none } h1, h2, h3, p { margin: 0 } code, pre, .mono { font-family: var(--mono); font-size: .88em }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px } h1:focus { outline: none }
.soft { color: var(--soft) } .link { color: var(--accent) } .link:hover { text-decoration: underline }

header { position: sticky; top: 0; z-index: 2; display: flex; gap: 14px; align-items: center; height: 56px; padding: 0 20px; background: var(--bg); border-bottom: 1px solid var(--line) }
.brand { display: flex; gap: 10px; align-items: center; font-weight: 650; white-space: nowrap; min-width: 0 } .brand svg { flex: none; color: var(--accent) }
.brand span { overflow: hidden; text-overflow: ellipsis } .find { position: relative; flex: 1; max-width: 380px; margin-left: auto }
input, select, textarea { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 7px; padding: 6px 10px; width: 100% }
input::placeholder { color: var(--soft); opacity: 1 } .find kbd { position: absolute; right: 8px; top: 7px; pointer-events: none } .find input:focus + kbd { display: none }
kbd { font: 12px/1.5 var(--mono); color: var(--soft); border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; background: var(--bg) }
button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 7px; padding: 6px 12px; cursor: pointer; white-space: nowrap }
button:hover { border-color: var(--soft) } button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600 } button.main:hover { filter: brightness(1.08) }
button.bare { border-color: transparent; background: none; padding: 6px 8px; color: var(--soft) } button.bare:hover { color: var(--ink) }

.frame { display: grid; grid-template-columns: 296px minmax(0, 1fr); max-width: 1480px; margin: 0 auto }
nav { position: sticky; top: 56px; height: calc(100vh - 56px); overflow-y: auto; padding: 20px 12px 60px; border-right: 1px solid var(--line); scrollbar-width: thin }
nav h2, .group h2 { font-size: 12px; font-weight: 650; letter-spacing: .04em; color: var(--soft) } nav h2 { padding: 0 8px 4px } nav .group + .group { margin-top: 18px }
nav a { display: flex; gap: 8px; align-items: baseline; padding: 3px 8px; border-radius: 6px; font-size: 14px; line-height: 1.5 } nav a:hover { background: var(--sunk) }
nav a[aria-current] { background: var(--wash); font-weight: 600 } nav .name { flex: 1; min-width: 0; overflow-wrap: anywhere } nav .keys { padding: 22px 8px 0; font-size: 12px; color: var(--soft) }
.verb { font: 650 11.5px/1.5 var(--mono); letter-spacing: .02em; flex: none; width: 52px } .get { color: var(--green) } .post { color: var(--accent) } .put, .patch { color: var(--violet) } .delete { color: var(--red) }
.dot { flex: none; width: 9px; height: 9px; border-radius: 50%; align-self: center; background: var(--green) } .dot.placeholder { background: none; border: 1.5px dashed var(--amber) }

main { padding: 36px 40px 96px; min-width: 0 } h1 { font-size: 27px; line-height: 1.25; font-weight: 650; letter-spacing: -.012em; overflow-wrap: anywhere }
.lead { font-size: 17px; color: var(--soft); margin-top: 8px; max-width: 68ch } .tally { display: flex; flex-wrap: wrap; gap: 6px 22px; margin-top: 18px; align-items: center } .tally span { display: inline-flex; gap: 8px; align-items: center }
.bar { display: flex; gap: 3px; height: 6px; margin: 14px 0 6px; max-width: 520px } .bar i { background: var(--green); border-radius: 3px; min-width: 4px } .bar .placeholder { background: none; border: 1px dashed var(--amber) }
.group { margin-top: 34px } nav .group { margin-top: 0 } .rows { border-top: 1px solid var(--line); margin-top: 8px }
.rows a { display: grid; grid-template-columns: 52px minmax(0, 5fr) minmax(0, 6fr) 150px; gap: 14px; align-items: baseline; padding: 10px 8px; border-bottom: 1px solid var(--line) } .rows a:hover { background: var(--sunk) }
.rows .path { font: 14px/1.5 var(--mono); overflow-wrap: anywhere } .rows .state { display: flex; gap: 8px; font-size: 13px; color: var(--soft); justify-content: flex-end } .rows b { font-weight: 400 } .rows .open { color: var(--green) }

.detail { display: grid; grid-template-columns: minmax(0, 1fr) minmax(320px, 400px); gap: 0 44px; align-items: start } .detail > .head { grid-column: 1 / -1 } .eyebrow { font: 13px/1.6 var(--mono); color: var(--soft) } .back { display: none; margin-bottom: 14px }
.title { display: flex; gap: 12px; align-items: baseline } .title .verb { font-size: 17px; width: auto } .title h1 { font: 600 22px/1.35 var(--mono); letter-spacing: -.02em } .title em { font-style: normal; color: var(--accent) }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 14px } .chip { font-size: 12.5px; line-height: 1.5; border: 1px solid var(--line); border-radius: 20px; padding: 1px 10px; color: var(--soft); background: var(--card) }
.chip.open { color: var(--green) } .chip.write { color: var(--ink) } .chip.placeholder { border: 1px dashed var(--amber); color: var(--amber) } .chip.real { color: var(--green) }
.note { margin-top: 16px; padding: 10px 14px; border: 1px dashed var(--amber); border-radius: 8px; background: var(--amber-wash); max-width: 76ch; overflow-wrap: anywhere } .note b { color: var(--amber) }
section { margin-top: 32px } section > h2 { font-size: 16px; font-weight: 650; margin-bottom: 8px } section > h2 small { font-weight: 400; color: var(--soft); margin-left: 8px; font-size: 13px }
table { width: 100%; border-collapse: collapse; font-size: 14px } th { text-align: left; font-weight: 500; font-size: 12px; color: var(--soft); padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line) }
td { vertical-align: top; padding: 8px 12px 8px 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere } .fields { table-layout: fixed } .fields th:first-child { width: 34% } .fields th:nth-child(2) { width: 23% } .errors td:first-child { width: 56px } .errors td:nth-child(2) { width: 34% }
td .name { font: 13px/1.6 var(--mono); margin-right: 8px } td .need { display: inline-block; font-size: 12px; color: var(--soft) } td .need.yes { color: var(--amber) } .type { font: 13px/1.6 var(--mono); color: var(--violet) } .limits { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 2px }
.limits code { background: var(--sunk); border-radius: 4px; padding: 0 6px; font-size: 12.5px; overflow-wrap: anywhere } .part td { padding: 14px 0 4px; font-size: 12px; color: var(--soft); font-weight: 600 }
.d1 { --in: 16px } .d2 { --in: 32px } .d3 { --in: 48px } .d4 { --in: 64px } .fields td:first-child { padding-left: var(--in, 0) } .fields tr[class*=d] td:first-child > span { display: block; border-left: 2px solid var(--line); padding-left: 10px }
details summary { cursor: pointer; color: var(--soft); padding: 8px 0; font-size: 14px } pre { margin: 0; padding: 12px 14px; background: var(--sunk); border: 1px solid var(--line); border-radius: 8px; overflow: auto; max-height: 480px; font-size: 13px; line-height: 1.55; white-space: pre-wrap; overflow-wrap: anywhere }
pre + pre { margin-top: 8px } .k { color: var(--accent) } .s { color: var(--green) } .n { color: var(--violet) } h3 { font-size: 12px; font-weight: 500; color: var(--soft); margin: 10px 0 4px }

.try { position: sticky; top: 76px; margin-top: 32px; padding: 16px 18px 18px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; max-height: calc(100vh - 96px); overflow-y: auto; scrollbar-width: thin }
.try h2 { font-size: 16px; font-weight: 650 } label { display: block; font-size: 13px; color: var(--soft); margin: 12px 0 4px } .pair { display: grid; grid-template-columns: auto 1fr; gap: 8px } .pair > :only-child { grid-column: 1 / -1 }
textarea { display: block; font: 13px/1.55 var(--mono); resize: vertical; min-height: 84px; tab-size: 2; background: var(--sunk) } textarea[aria-invalid=true] { border-color: var(--red) } .line { font: 12.5px/1.5 var(--mono); color: var(--soft); margin-top: 8px; overflow-wrap: anywhere } .bad { color: var(--red) }
.acts { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 12px } .hint { font-size: 12.5px; color: var(--soft); margin-top: 10px } .result { margin-top: 16px } .result dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 8px 0; font-size: 12.5px } dt { color: var(--soft) } dd { margin: 0; font-family: var(--mono); overflow-wrap: anywhere }
.status { display: flex; gap: 12px; align-items: baseline } .status b { font: 650 15px/1.5 var(--mono) } .ok { color: var(--green) } .hm { color: var(--amber) }

@media (max-width: 1180px) { .detail { grid-template-columns: minmax(0, 1fr) } .try { position: static; max-height: none } }
@media (max-width: 900px) { .frame { display: block } nav { display: none } .back { display: inline-block } header .link, #version { display: none } }
@media (max-width: 620px) { header { padding: 0 14px; gap: 8px } .brand span { max-width: 150px } .find kbd { display: none } main { padding: 22px 16px 72px } h1 { font-size: 23px } .title h1 { font-size: 18px } .title .verb { font-size: 14px }
  .rows a { grid-template-columns: 52px minmax(0, 1fr) auto; gap: 2px 8px } .rows .sum { grid-column: 2 / -1; grid-row: 2; font-size: 14px } .rows .state b { display: none }
  input, select, textarea { font-size: 16px } }
/* Where three columns would leave the meaning four words a line, it has a line of its own. */
.parts { container-type: inline-size; min-width: 0 }
@container (max-width: 640px) { .fields, .fields tbody { display: block } .fields thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden } .fields tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px; border-bottom: 1px solid var(--line); padding: 9px 0 9px var(--in, 0) } .fields tr td { border: 0; padding: 0; width: auto } .fields td:nth-child(2) { max-width: 46cqw; text-align: right } .fields td:nth-child(3) { grid-column: 1 / -1 }
  .fields .part { padding: 14px 0 4px var(--in, 0); display: block }
  .errors, .errors tbody { display: block } .errors tr { display: grid; grid-template-columns: 44px minmax(0, 1fr); border-bottom: 1px solid var(--line); padding: 8px 0 } .errors tr td { border: 0; padding: 0; width: auto } .errors td:nth-child(3) { grid-column: 2; margin-top: 2px } }
`
