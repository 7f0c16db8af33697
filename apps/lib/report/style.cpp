#include "apps/lib/report/style.h"

namespace pare::report {

const char* const kStyleSheet = R"css(
:root { color-scheme: light dark;
  --page: #fafaf8; --panel: #ffffff; --text: #1d2126; --soft: #59626d; --line: #d5dade; --grid: #e7eaed;
  --band: #f3f5f7; --zero: #a9b1ba; --right: 0 114 178; --wrong: 213 94 0;
  --s0: #0072b2; --s1: #d55e00; --s2: #007a5a; --s3: #a5487f; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14171a; --panel: #1b1f24; --text: #e7e9eb; --soft: #9da7b1; --line: #39414a; --grid: #2b3138;
  --band: #22272d; --zero: #5d6873; --right: 86 180 233; --wrong: 240 145 90;
  --s0: #56b4e9; --s1: #f0915a; --s2: #3cc79a; --s3: #e08ec0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px clamp(12px, 3vw, 32px) 64px; max-width: 1180px;
  background: var(--page); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue",
  "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 10px; padding-top: 10px; border-top: 1px solid var(--line); }
p { margin: 6px 0; max-width: 80ch; }
.lead, .soft, small, .none { color: var(--soft); }
small { font-size: 12px; }
code, pre { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
p code { overflow-wrap: anywhere; }
pre { margin: 8px 0; padding: 10px 12px; overflow-x: auto; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; }
nav { margin-top: 8px; font-size: 14px; }
nav a { margin-right: 14px; color: var(--s0); white-space: nowrap; }
summary { cursor: pointer; padding: 4px 0; }
.notice { border-left: 4px solid var(--s1); padding: 6px 12px; background: var(--panel); }

.cards { display: grid; gap: 12px; margin: 20px 0 12px; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); }
.card { padding: 12px 16px; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
.card h3 { margin: 0; font-size: 14px; font-weight: 600; color: var(--soft); }
.card b { display: block; font-size: 28px; line-height: 1.3; font-weight: 650; }
.card p { margin: 6px 0 0; font-size: 13.5px; }
.card small { display: block; }
.card.integer { border: 2px solid var(--s0); }
.card.integer b { color: var(--s0); }
.facts { display: grid; gap: 2px 24px; margin: 0; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); }
.facts div { display: flex; gap: 12px; padding: 5px 0; border-bottom: 1px solid var(--grid); }
.facts dt { flex: 0 0 108px; color: var(--soft); }
.facts dd { margin: 0; }
.facts dd > span { color: var(--soft); font-size: 13px; }

figure { margin: 0; }
figcaption { font-size: 13px; color: var(--soft); margin-bottom: 4px; }
figcaption b { color: var(--text); font-size: 14px; margin-right: 10px; }
.key { display: inline-block; margin-right: 12px; }
.key svg { width: 24px; height: 8px; margin-right: 5px; vertical-align: middle; }
.key svg.tall { width: 10px; height: 14px; vertical-align: -2px; }
.charts { display: grid; gap: 18px 24px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
.chart > svg { display: block; width: 100%; height: auto; }
svg text { font-size: 11.5px; fill: var(--soft); }
text.left { text-anchor: end; } text.below, text.phase { text-anchor: middle; } text.phase { fill: var(--text); }
.band0 { fill: var(--band); } .band1 { fill: none; } .instant { stroke: var(--s3); stroke-dasharray: 1 3; }
.grid { stroke: var(--grid); } .axis { stroke: var(--zero); fill: none; }
.mark { stroke: var(--soft); stroke-dasharray: 3 3; fill: none; }
.series path { fill: none; stroke-width: 2; stroke-linejoin: round; }
.series circle { stroke: var(--page); }
.series circle.single { opacity: 0.45; stroke: none; }
.notes li { margin: 2px 0; }
.s0 path { stroke: var(--s0); } .s0 circle { fill: var(--s0); }
.s1 path { stroke: var(--s1); stroke-dasharray: 7 3; } .s1 circle { fill: var(--s1); }
.s2 path { stroke: var(--s2); stroke-dasharray: 2 2; } .s2 circle { fill: var(--s2); }
.s3 path { stroke: var(--s3); stroke-dasharray: 9 3 2 3; } .s3 circle { fill: var(--s3); }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13.5px; }
th, td { padding: 5px 10px; text-align: right; vertical-align: top; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th { font-weight: 600; }
thead th { color: var(--soft); vertical-align: bottom; border-bottom: 1px solid var(--zero); }
thead th[title] { text-decoration: underline dotted; text-underline-offset: 3px; cursor: help; }
tbody th, th.text, td.text { text-align: left; }
tbody th, thead th:first-child { position: sticky; left: 0; background: var(--page); }
td small, tbody th small { display: block; font-weight: 400; }
tr.total th, tr.total td { border-top: 1px solid var(--zero); border-bottom: 0; }
.meter { display: flex; width: 84px; height: 7px; margin: 7px 0 2px auto; background: var(--s0); border-radius: 2px;
  overflow: hidden; }
.meter .m { background: var(--line); } .meter .r { background: var(--zero); }
.histogram { display: inline-block; width: 144px; }
.histogram svg { display: block; width: 144px; height: 40px; }
.histogram > span { display: flex; justify-content: space-between; color: var(--soft); font-size: 11.5px; }
.histogram i { font-style: normal; }
.bars { fill: var(--s0); } .zero { stroke: var(--text); stroke-width: 0.7; }
.limit { stroke: var(--s1); stroke-width: 1.5; stroke-dasharray: 3 2; }

.confusion td { padding: 0; min-width: 38px; } .confusion td, .confusion th { text-align: center; }
.confusion td > span { display: block; padding: 5px 6px; }
.confusion td:last-child, .confusion .total td { padding: 5px 6px; color: var(--soft); font-size: 12px; }
.confusion span.right { background: rgb(var(--right) / var(--a)); }
.confusion span.wrong { background: rgb(var(--wrong) / var(--a)); }
.heat th, .heat td { padding: 4px 8px; } .heat td { min-width: 62px; }
.heat thead th { white-space: normal; max-width: 104px; } .heat thead th.group { text-align: left; max-width: none; }
.heat td.right { background: rgb(var(--right) / var(--a)); } .heat td.wrong { background: rgb(var(--wrong) / var(--a)); }
.plots { margin-top: 40px; }
.gallery { display: grid; gap: 10px; margin: 10px 0; grid-template-columns: repeat(auto-fill, minmax(100px, 1fr)); }
.gallery figcaption { margin: 2px 0; line-height: 1.35; color: var(--text); }
.gallery .wrong { color: rgb(var(--wrong)); font-weight: 600; } .gallery .right { color: rgb(var(--right)); font-weight: 600; }
img { image-rendering: pixelated; display: block; }
.map { margin: 14px 0; }
.map img { border: 1px solid var(--line); background: var(--panel); max-width: none; }
.chip { display: inline-block; width: 11px; height: 11px; margin-right: 5px; vertical-align: -1px;
  border: 1px solid var(--line); }
.negative { background: #e06e1e; } .positive { background: #2884d6; } .rounded { background: #80808090; }
.masked { background: var(--panel); } .ramp { width: 40px; background: linear-gradient(90deg, #2884d646, #2884d6); }

@media print { :root { color-scheme: light;
    --page: #fff; --panel: #fff; --text: #000; --soft: #444; --line: #bbb; --grid: #ddd; --band: #f3f3f3; --zero: #888;
    --right: 0 114 178; --wrong: 213 94 0; --s0: #0072b2; --s1: #d55e00; --s2: #007a5a; --s3: #a5487f; }
  body { max-width: none; padding: 0; font-size: 11px; } nav { display: none; } pre { white-space: pre-wrap; }
  figure, .card, tr { break-inside: avoid; } h2 { break-after: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
)css";

}  // namespace pare::report
