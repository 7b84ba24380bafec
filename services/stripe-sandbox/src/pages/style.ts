/** The pages' style sheet: system fonts, one accent, light and dark, no image. */
export const STYLE = `
:root{--ink:#171c2f;--soft:#596074;--line:#dfe2ec;--edge:#8a91a6;--paper:#fff;--ground:#f5f6fb;--accent:#4a43d4;--accent-ink:#fff;
--accent-ground:#eeedfd;--bad:#b3162b;--bad-ground:#fdecef;--warn:#7a4a00;--warn-ground:#fff1d6;--good:#0b6b3a;--good-ground:#e2f5e9;
--focus:#8f89ff;--shade:0 1px 2px rgb(20 24 50/.05),0 12px 32px rgb(20 24 50/.06);color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#eef0f7;--soft:#a9b0c3;--line:#333a55;--edge:#7d86a3;--paper:#1a1f33;--ground:#10131e;
--accent:#958fff;--accent-ink:#12132a;--accent-ground:#28264d;--bad:#ff9aa6;--bad-ground:#3d1620;--warn:#ffd591;--warn-ground:#3a2b0c;
--good:#7fe0a8;--good-ground:#12331f;--focus:#b6b2ff;--shade:0 12px 32px rgb(0 0 0/.3)}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.ribbon,footer,.notice p{text-wrap:balance}
.ribbon{margin:0;padding:.4rem 1rem;text-align:center;background:var(--warn-ground);color:var(--warn);font-size:.875rem}
main{flex:1;width:100%;margin:0 auto;padding:1.75rem 1.25rem}
main.narrow{max-width:29rem}
main.wide{max-width:66rem;display:grid;gap:1.75rem;align-content:start}
@media (min-width:56rem){main.wide{grid-template:"order form" auto "tests form" 1fr/minmax(0,1fr) minmax(0,1.05fr);gap:2rem 4.5rem;padding-top:3.25rem}
.order{grid-area:order}.pay-form{grid-area:form}.trials{grid-area:tests}main.narrow{padding-top:4rem}}
footer{padding:1rem;text-align:center;color:var(--soft);font-size:.8125rem}
h1,h2{line-height:1.25;margin:0}
h1{font-size:1.375rem}h2{font-size:1.0625rem}
a{color:var(--accent)}
svg{flex:none}
.shop{margin:0 0 .75rem;font-weight:600;overflow-wrap:anywhere;display:flex;align-items:center;gap:.6rem}
.picture{width:2rem;height:2rem;object-fit:contain;border-radius:6px;flex:none}.picture.logo{width:auto;max-width:100%;height:2.5rem}
.back{display:inline-flex;gap:.45rem;align-items:center;margin:0 0 1.5rem -.4rem;padding:.2rem .4rem;border-radius:6px;text-decoration:none;color:var(--soft);font-size:.9375rem}
.back:hover{color:var(--ink)}
.order h1{font-size:1rem;font-weight:550;color:var(--soft)}
.due{margin:.15rem 0 1.75rem;font-size:2.5rem;line-height:1.15;font-weight:680;letter-spacing:-.025em;font-variant-numeric:tabular-nums}
.items{list-style:none;margin:0;padding:0;display:grid;gap:1.1rem}
.items li{display:flex;align-items:flex-start;gap:.9rem;font-variant-numeric:tabular-nums}
.items .name{flex:1;min-width:0;font-weight:550}
.items small{display:block;overflow-wrap:anywhere;color:var(--soft);font-weight:400;font-size:.875rem}
.tile{display:grid;place-items:center;width:2.75rem;height:2.75rem;border-radius:10px;background:var(--accent-ground);color:var(--accent);font-weight:650;font-size:1.1rem;flex:none}
.money{white-space:nowrap}
.sum{display:flex;justify-content:space-between;gap:1rem;font-variant-numeric:tabular-nums;margin:1.25rem 0 0;padding-top:1.1rem;border-top:1px solid var(--line);font-weight:650}
.part{display:flex;justify-content:space-between;align-items:center;gap:.75rem;margin:1.1rem 0 0;color:var(--soft);font-variant-numeric:tabular-nums}
.part+.part{margin-top:.35rem}.part .money{margin-left:auto}.code{color:var(--ink);font-weight:600;margin-left:.3rem}
.plain{border:0;background:transparent;color:var(--soft);font:inherit;min-width:1.75rem;min-height:1.75rem;border-radius:6px;cursor:pointer}.plain:hover{color:var(--bad)}
.promotion{margin:1.25rem 0 0}.beside{display:flex;gap:.6rem}.beside .secondary{width:auto;flex:none;min-height:2.9rem;padding:.4rem 1rem}
.card{background:var(--paper);border:1px solid var(--line);border-radius:16px;padding:1.5rem;box-shadow:var(--shade)}
@media (min-width:40rem){.card{padding:1.9rem}}
form.card,.stack{display:grid;gap:1.15rem}
.stack{gap:1.5rem;align-content:start}
fieldset{border:0;margin:0;padding:0;display:grid;gap:1.05rem;min-width:0}
legend{padding:0;font-weight:600;margin-bottom:.6rem;font-size:.9375rem}
label{font-size:.9rem;font-weight:550;display:block;margin-bottom:.3rem}
.hint{color:var(--soft);font-weight:400}
p.hint{margin:0;font-size:.9rem}
input[type=text],input[type=email]{width:100%;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--edge);
border-radius:9px;padding:.65rem .8rem;min-height:2.9rem;font-variant-numeric:tabular-nums}
input::placeholder{color:var(--soft);opacity:1}
input[readonly]{background:var(--ground);color:var(--soft);border-color:var(--line)}
input[aria-invalid=true]{border-color:var(--bad);box-shadow:0 0 0 1px var(--bad)}
input:focus-visible,button:focus-visible,a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem;align-items:start}
.with-brands{position:relative}
.with-brands input{padding-right:6.75rem}
.brands{position:absolute;right:.7rem;top:0;bottom:0;display:flex;align-items:center;gap:.3rem;pointer-events:none}
.brands svg{border-radius:3px}
[data-brand] .brands svg{opacity:.22}
[data-brand=visa] .brands .visa,[data-brand=mastercard] .brands .mastercard,[data-brand=amex] .brands .amex{opacity:1}
.fault{color:var(--bad);font-size:.875rem;margin:.3rem 0 0}
.fault:empty{display:none}
.alert{margin:0;padding:.8rem 1rem;border-radius:10px;background:var(--bad-ground);color:var(--bad);font-weight:550}
.alert:empty{display:none}
.choice{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem}
.choice label{display:flex;align-items:center;gap:.6rem;margin:0;padding:.7rem .85rem;border:1px solid var(--edge);border-radius:10px;cursor:pointer}
.choice label:has(:checked){border-color:var(--accent);box-shadow:0 0 0 1px var(--accent);background:var(--accent-ground);color:var(--accent)}
.choice label:has(:focus-visible){outline:3px solid var(--focus);outline-offset:2px}
.choice input{position:absolute;opacity:0;width:1px;height:1px}
main:has(#by-sepa:checked) .for-card,main:has(#by-card:checked) .for-sepa{display:none}
.primary,.secondary{display:inline-flex;align-items:center;justify-content:center;gap:.55rem;width:100%;min-height:3.1rem;border-radius:10px;font:inherit;font-weight:620;cursor:pointer;text-align:center;
padding:.7rem 1rem;text-decoration:none}
.primary{border:0;background:var(--accent);color:var(--accent-ink)}
.primary:hover{filter:brightness(1.08)}
.primary[aria-disabled=true]{opacity:.7;cursor:progress}
.secondary{border:1px solid var(--edge);background:transparent;color:inherit}
.secondary:hover{border-color:var(--accent);color:var(--accent)}
.progress{margin:0;color:var(--soft);font-size:.9rem;text-align:center}
.progress:empty{display:none}
.trials{display:grid;gap:1rem;align-content:start}
.tests{border:1px dashed var(--edge);border-radius:14px;padding:1rem .75rem .75rem}
.tests h2{font-size:.875rem;color:var(--soft);font-weight:600;margin:0 0 .4rem .6rem}
.tests ul{list-style:none;margin:0;padding:0;display:grid;gap:.1rem}
.tests button{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;width:100%;min-height:2.5rem;align-items:center;font:inherit;font-size:.875rem;text-align:left;color:inherit;
background:transparent;border:1px solid transparent;border-radius:9px;padding:.3rem .6rem;cursor:pointer}
.tests button:hover{border-color:var(--line);background:var(--paper)}
.tests code{font:inherit;font-variant-numeric:tabular-nums;font-weight:600}
.tests span{color:var(--soft)}
@media (max-width:30rem){.tests button span{flex-basis:100%}}
.notice{text-align:center;display:grid;gap:1rem;justify-items:center}
.notice p{margin:0}
.notice .due{font-size:2rem}
.medal{display:grid;place-items:center;width:3.5rem;height:3.5rem;border-radius:50%;background:var(--calm,var(--accent-ground));color:var(--accent)}
.medal.good{background:var(--good-ground);color:var(--good)}
.medal.warn{background:var(--warn-ground);color:var(--warn)}
.bank{display:flex;align-items:center;gap:.7rem;width:100%;padding-bottom:1rem;border-bottom:1px solid var(--line);font-weight:620}
.bank span{flex:1;text-align:left}
.bank small{font-weight:550;color:var(--soft)}
.bill{width:100%;margin:0;display:grid;grid-template-columns:auto 1fr;gap:.35rem 1rem;text-align:left;font-variant-numeric:tabular-nums}
.bill dt{color:var(--soft)}.bill dd{margin:0;text-align:right;font-weight:550;overflow-wrap:anywhere}
@media (prefers-reduced-motion:no-preference){.primary{transition:filter .15s}.spin{animation:spin .8s linear infinite}@keyframes spin{to{transform:rotate(1turn)}}}
`
