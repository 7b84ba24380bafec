/** The pages' style sheet: system fonts, one accent, light and dark, no image. */
export const STYLE = `
:root{--ink:#1a1f36;--soft:#5a6172;--line:#d8dce6;--paper:#fff;--ground:#f5f6fa;--accent:#4b44d6;--accent-ink:#fff;
--bad:#b3162b;--bad-ground:#fdecef;--warn:#7a4a00;--warn-ground:#fff1d6;--focus:#8f89ff;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#eef0f7;--soft:#a9b0c3;--line:#39405a;--paper:#1b2033;--ground:#11141f;
--accent:#8d87ff;--accent-ink:#12132a;--bad:#ff9aa6;--bad-ground:#3d1620;--warn:#ffd591;--warn-ground:#3a2b0c;--focus:#b6b2ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.ribbon{margin:0;padding:.4rem 1rem;text-align:center;background:var(--warn-ground);color:var(--warn);font-size:.875rem}
main{flex:1;width:100%;margin:0 auto;padding:2rem 1.25rem}
main.wide{max-width:64rem;display:grid;gap:2.5rem;align-content:start}
main.narrow{max-width:30rem}
@media (min-width:52rem){main.wide{grid-template-columns:minmax(0,1fr) minmax(0,1.1fr);gap:4rem;padding-top:3.5rem}}
footer{padding:1rem;text-align:center;color:var(--soft);font-size:.8125rem}
h1,h2{line-height:1.25;margin:0}
h1{font-size:1.375rem}h2{font-size:1.0625rem}
a{color:var(--accent)}
.back{display:inline-flex;gap:.4rem;align-items:center;margin-bottom:1.5rem;text-decoration:none;color:var(--soft)}
.back:hover{color:var(--ink);text-decoration:underline}
.due{margin:.25rem 0 1.75rem;font-size:2.25rem;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.items{list-style:none;margin:0;padding:0;display:grid;gap:1rem}
.items li,.sum{display:flex;justify-content:space-between;gap:1rem;font-variant-numeric:tabular-nums}
.items small{display:block;color:var(--soft)}
.money{white-space:nowrap}
.sum{margin-top:1.25rem;padding-top:1.25rem;border-top:1px solid var(--line);font-weight:600}
.card{background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:1.5rem;box-shadow:0 10px 30px rgb(20 24 50/.06)}
form.card,.stack{display:grid;gap:1.1rem}
fieldset{border:0;margin:0;padding:0;display:grid;gap:1rem;min-width:0}
legend{padding:0;font-weight:600;margin-bottom:.6rem}
label{font-size:.9rem;font-weight:550;display:block;margin-bottom:.3rem}
.hint{color:var(--soft);font-weight:400}
input[type=text],input[type=email]{width:100%;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);
border-radius:8px;padding:.65rem .75rem;min-height:2.75rem}
input[readonly]{background:var(--ground);color:var(--soft)}
input[aria-invalid=true]{border-color:var(--bad)}
input:focus-visible,button:focus-visible,a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
.fault{color:var(--bad);font-size:.875rem;margin:.3rem 0 0}
.fault:empty{display:none}
.alert{margin:0;padding:.75rem .9rem;border-radius:8px;background:var(--bad-ground);color:var(--bad);font-weight:550}
.alert:empty{display:none}
.choice{display:flex;gap:.6rem}
.choice label{flex:1;display:flex;align-items:center;gap:.55rem;margin:0;padding:.65rem .8rem;border:1px solid var(--line);border-radius:8px;cursor:pointer}
.choice label:has(:checked){border-color:var(--accent);box-shadow:0 0 0 1px var(--accent)}
main:has(#by-sepa:checked) .for-card,main:has(#by-card:checked) .for-sepa{display:none}
.primary,.secondary{display:block;width:100%;min-height:3rem;border-radius:8px;font:inherit;font-weight:600;cursor:pointer;text-align:center;
padding:.7rem 1rem;text-decoration:none;white-space:nowrap}
.primary{border:0;background:var(--accent);color:var(--accent-ink)}
.primary:hover{filter:brightness(1.07)}
.primary[aria-disabled=true]{opacity:.65;cursor:progress}
.secondary{border:1px solid var(--line);background:transparent;color:inherit}
.progress{margin:0;color:var(--soft);font-size:.9rem;text-align:center}
.progress:empty{display:none}
.tests{margin-top:1.25rem;border:1px dashed var(--line);border-radius:12px;padding:1rem 1.1rem}
.tests h2{font-size:.9rem;color:var(--soft);font-weight:600;margin-bottom:.6rem}
.tests ul{list-style:none;margin:0;padding:0;display:grid;gap:.4rem}
.tests button{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.1rem 1rem;width:100%;font:inherit;font-size:.875rem;text-align:left;color:inherit;
background:transparent;border:1px solid transparent;border-radius:8px;padding:.4rem .55rem;cursor:pointer}
.tests button:hover{border-color:var(--line);background:var(--paper)}
.tests code{font:inherit;font-variant-numeric:tabular-nums;font-weight:600}
.tests span{color:var(--soft)}
.overview{align-content:start}
.overview pre{margin:0;padding:.8rem 1rem;overflow:auto;background:var(--paper);border:1px solid var(--line);border-radius:8px;font-size:.85rem}
.overview p{margin:0}
.overview li span{overflow-wrap:anywhere}
.notice .due{margin-bottom:0}
.notice{text-align:center;display:grid;gap:1rem;justify-items:stretch}
@media (prefers-reduced-motion:no-preference){.primary{transition:filter .15s}}
`
