"""How the page looks: one column on a phone, as many as fit elsewhere, light or dark as the reader's system is."""

from __future__ import annotations

from typing import Final

# Contrasts, by WCAG 2.2: text 4.5 or more, lines and their keys 3 or more, in both schemes.
STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #f6f6f3; --card: #fff; --edge: #e3e2dc; --ink: #1c1e21; --soft: #5c6168;
  --line1: #1f5fbf; --line2: #b25a00; --line3: #c0202b; --well: #1a7f45; --badly: #c0202b; --warn: #8f5200;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121417; --card: #1a1d21; --edge: #2b3037; --ink: #e8eaed; --soft: #a2a9b2;
    --line1: #78aefc; --line2: #f0ad4a; --line3: #ff7f78; --well: #5fd38d; --badly: #ff8a84; --warn: #f3bd6a;
  }
}
* { box-sizing: border-box }
body {
  margin: 0 auto; padding: clamp(1rem, 4vw, 2.5rem); max-width: 76rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums;
  -webkit-text-size-adjust: 100%;
}
h1, h2, p, dl, dd, table { margin: 0 }
h1 { font-size: clamp(1.4rem, 5vw, 1.9rem); line-height: 1.2; font-weight: 650; letter-spacing: -.02em;
  overflow-wrap: anywhere }
h2 { font-size: .875rem; font-weight: 500; color: var(--soft) }
a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: .2em }
a:hover { text-decoration-color: currentColor }
header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .5rem 2rem }
.state { display: flex; align-items: center; gap: .6rem; font-size: 1.125rem; font-weight: 600 }
.state::before { content: ""; width: .7rem; height: .7rem; border-radius: 50%; background: currentColor }
.well { color: var(--well) } .badly { color: var(--badly) } .warned { color: var(--warn) }
.reasons { margin-top: 1.25rem; padding: .9rem 1.1rem; border: 1px solid var(--edge);
  border-left: 4px solid currentColor;
  border-radius: 8px; background: var(--card) }
.reasons h2 { color: inherit; font-weight: 650 }
.reasons dl { display: grid; grid-template-columns: fit-content(40%) 1fr; gap: .2rem 1rem; margin-top: .35rem;
  color: var(--ink) }
.reasons dt, .reasons dd { overflow-wrap: anywhere } .reasons dt { font-weight: 600 }
.facts { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.5rem 0 }
.facts dt { font-size: .8125rem; color: var(--soft) } .facts dd { font-weight: 550 }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1rem }
article { display: flex; flex-direction: column; padding: 1rem 1.1rem .8rem; border: 1px solid var(--edge);
  border-radius: 10px; background: var(--card);
  min-width: 0 }
.now { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1.1rem; min-height: 2.4rem; margin-bottom: 1rem;
  font-size: .8125rem;
  color: var(--soft) }
.now b { font-size: 1.5rem; font-weight: 600; letter-spacing: -.01em; color: var(--ink) }
.key b { font-size: 1.25rem } .key { white-space: nowrap }
.key i { display: inline-block; width: .9rem; margin-right: .4rem; border-top: 3px solid; vertical-align: .3em }
i.line1 { color: var(--line1) } i.line2 { color: var(--line2);
  border-top-style: dashed } i.line3 { color: var(--line3); border-top-style: dotted }
.plot { position: relative; margin-top: auto; border-bottom: 1px solid var(--edge);
  border-top: 1px dashed var(--edge) }
.top { position: absolute; bottom: 100%; right: 0; font-size: .75rem; line-height: 1.2; color: var(--soft) }
svg { display: block; width: 100%; height: 4.5rem; overflow: visible }
path { fill: none; stroke-width: 1.75; stroke-linejoin: round; vector-effect: non-scaling-stroke }
path.line1 { stroke: var(--line1) } path.area { fill: var(--line1); opacity: .12 }
path.line2 { stroke: var(--line2); stroke-dasharray: 5 3 } path.line3 { stroke: var(--line3);
  stroke-dasharray: 1.5 3 }
.scale { display: flex; justify-content: space-between; margin-top: .25rem; font-size: .75rem; color: var(--soft) }
footer { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin-top: 1.75rem; font-size: .8125rem;
  color: var(--soft) }
@media (max-width: 30rem) {
  .reasons dl { display: block } .reasons dd { margin-bottom: .5rem }
  .facts { display: grid; grid-template-columns: 1fr 1fr; gap: .9rem 1rem }
}
"""
