import { createHash } from "node:crypto";

/** The reference's whole style; it needs nothing else. */
export const stylesheet = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #1c6dd0; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; display: grid;
  grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem;
  border-right: 1px solid var(--line); font-size: .875rem; }
nav h2 { font-size: .75rem; text-transform: uppercase; letter-spacing: .06em; margin: 1rem 0 .25rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .1rem 0; color: inherit; text-decoration: none; }
nav a:hover, nav a:focus { color: var(--accent); text-decoration: underline; }
main { padding: 1rem 2rem 4rem; max-width: 60rem; }
section > h2 { border-bottom: 1px solid var(--line); margin-top: 3rem; }
article { margin: 2rem 0; padding-top: .5rem; }
article h3 { margin: 0 0 .25rem; }
h4 { margin: 1rem 0 .25rem; font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; }
.place { font: .95rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; margin: .25rem 0; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; color: var(--accent); }
.access { border-left: 3px solid var(--accent); padding-left: .6rem; margin: .5rem 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .875em; }
code { background: var(--soft); border-radius: .2rem; padding: 0 .2em; }
pre { background: var(--soft); border-radius: .3rem; padding: .7rem .9rem; overflow: auto;
  margin: .3rem 0; line-height: 1.45; }
pre code { background: none; padding: 0; font-size: 1em; }
.note { opacity: .65; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-bottom: 1px solid var(--line); }
summary { cursor: pointer; padding: .15rem 0; }
@media (max-width: 50rem) {
  body { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
  main { padding: 1rem; }
}
`;

/** What a content policy calls it (CSP Level 3 §2.3.1). */
export const stylesheetHash = `sha256-${createHash("sha256").update(stylesheet).digest("base64")}`;
