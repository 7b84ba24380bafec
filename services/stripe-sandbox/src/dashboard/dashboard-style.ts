/** What the dashboard adds to the payer's pages: a bar, tables, pills, a timeline. */
export const DASHBOARD_STYLE = `
:root{--calm-ground:#e9ebf3}
@media (prefers-color-scheme:dark){:root{--calm-ground:#2a3048}}
.bar{display:flex;flex-wrap:wrap;align-items:center;gap:.35rem 1.5rem;padding:.6rem 1.25rem;background:var(--paper);border-bottom:1px solid var(--line)}
.brand{display:inline-flex;align-items:center;gap:.55rem;font-weight:650;color:var(--ink);text-decoration:none;padding:.3rem 0}
.brand svg{display:block}
.bar nav{display:flex;flex-wrap:wrap;gap:.15rem}
.bar nav a{padding:.45rem .75rem;border-radius:8px;color:var(--soft);text-decoration:none;font-weight:550;font-size:.9375rem;white-space:nowrap}
.bar nav a:hover{color:var(--ink);background:var(--ground)}
.bar nav a[aria-current]{color:var(--accent);background:var(--accent-ground)}
.strip{display:flex;flex-wrap:wrap;gap:.5rem;padding:.7rem 1.25rem;border-bottom:1px solid var(--line);font-size:.875rem;color:var(--soft)}
.strip a{color:inherit}
.dash{max-width:76rem;padding:1.75rem 1.25rem 3rem;display:grid;gap:1.5rem;align-content:start}
.dash>*,.split>*{min-width:0}
.dash h1{font-size:1.5rem;letter-spacing:-.01em}
.dash h2{font-size:1.0625rem}
.head{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1rem;justify-content:space-between}
.head p{margin:0;color:var(--soft)}
.panel{background:var(--paper);border:1px solid var(--line);border-radius:14px;overflow:hidden;box-shadow:var(--shade)}
.panel>h2,.panel>.head{padding:1rem 1.25rem .8rem}
.panel>.inside{padding:0 1.25rem 1.25rem;display:grid;gap:1rem}
.panel>.inside:first-child{padding-top:1.25rem}
.split{display:grid;gap:1.5rem}
@media (min-width:62rem){.split{grid-template-columns:minmax(0,1.35fr) minmax(0,1fr);align-items:start}}
.rows{list-style:none;margin:0;padding:0}
.rows>li{border-top:1px solid var(--line)}
.row{display:flex;align-items:center;gap:.4rem 1rem;padding:.7rem 1.25rem;color:inherit;text-decoration:none}
a.row:hover{background:var(--ground)}
.row .what{flex:1;min-width:0}
.row .what strong{display:block;font-weight:570;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.row .what small{display:block;color:var(--soft);overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.row .money{font-weight:570;font-variant-numeric:tabular-nums}
.row time{color:var(--soft);font-size:.8125rem;white-space:nowrap;font-variant-numeric:tabular-nums}
.pill{display:inline-flex;align-items:center;gap:.35rem;padding:.1rem .6rem;border-radius:99px;font-size:.8125rem;font-weight:600;white-space:nowrap;background:var(--calm-ground);color:var(--ink)}
.pill.good{background:var(--good-ground);color:var(--good)}
.pill.bad{background:var(--bad-ground);color:var(--bad)}
.pill.warn{background:var(--warn-ground);color:var(--warn)}
.empty{margin:0;padding:1.25rem;color:var(--soft)}
.facts{margin:0;display:grid;grid-template-columns:minmax(6rem,auto) minmax(0,1fr);gap:.45rem 1.25rem;font-size:.9375rem}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.85em}
pre{margin:0;padding:.85rem 1rem;overflow:auto;max-height:30rem;background:var(--ground);border:1px solid var(--line);border-radius:10px;font-size:.8125rem;line-height:1.55;tab-size:2;white-space:pre-wrap;overflow-wrap:anywhere}
details>summary{cursor:pointer;font-weight:570;font-size:.9375rem;padding:.25rem 0;border-radius:6px}
details>summary small{color:var(--soft);font-weight:400}
details[open]>summary{margin-bottom:.5rem}
.acts{display:flex;flex-wrap:wrap;gap:.6rem}
.acts form,.act{display:flex;flex-wrap:wrap;gap:.45rem;align-items:end;margin:0}
.act label{margin:0;font-size:.8125rem;color:var(--soft);display:grid;gap:.2rem}
.btn,.act select,.act input{font:inherit;font-weight:400;font-size:.9375rem;min-height:2.5rem;border-radius:8px;border:1px solid var(--edge);background:var(--paper);color:var(--ink);padding:.35rem .8rem}
.act input{width:7.5rem}.act input.long{width:16rem;max-width:100%}
.acts .btn,.btn{display:inline-flex;align-items:center;font-weight:570;cursor:pointer;text-decoration:none}
.btn:hover{border-color:var(--accent);color:var(--accent)}
.btn.strong{background:var(--accent);border-color:var(--accent);color:var(--accent-ink)}
.btn.strong:hover{filter:brightness(1.07);color:var(--accent-ink)}
.btn.danger{color:var(--bad)}
.btn.danger:hover{border-color:var(--bad)}
.act select:focus-visible,.act input:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.stack.tight{gap:.6rem}
.group{display:grid;gap:.7rem;padding-top:1rem;border-top:1px solid var(--line)}
.group:first-child{padding-top:0;border-top:0}
.group h3{margin:0;font-size:.9375rem;display:flex;flex-wrap:wrap;gap:.3rem .6rem;align-items:center;overflow-wrap:anywhere}
.group p{margin:0;color:var(--soft);font-size:.9rem}
.note{margin:0;padding:.75rem 1rem;border-radius:10px;background:var(--warn-ground);color:var(--warn)}
.note.bad{background:var(--bad-ground);color:var(--bad)}
.big{font-size:2rem;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums;line-height:1.2}
.live{display:inline-flex;align-items:center;gap:.4rem;margin-left:auto}
.live::before{content:"";width:.5rem;height:.5rem;border-radius:50%;background:var(--soft)}
.live[data-on]::before{background:var(--good)}
.toast{position:fixed;left:50%;bottom:1.25rem;transform:translateX(-50%);max-width:calc(100vw - 2rem);margin:0;padding:.7rem 1.1rem;border-radius:10px;background:var(--ink);color:var(--ground);box-shadow:var(--shade)}
.toast:empty{display:none}
@media (max-width:40rem){.row{flex-wrap:wrap}.row .what{flex-basis:100%}.row .money{margin-left:auto}.dash{padding-top:1.25rem}.act input.long{width:100%}.act label:has(.long){flex:1 1 12rem}
.bar{padding-inline:.9rem}.bar nav{margin-inline:-.3rem}.bar nav a{padding-inline:.5rem}
.facts{grid-template-columns:1fr;gap:.1rem}.facts dd{margin-bottom:.5rem}}
`
