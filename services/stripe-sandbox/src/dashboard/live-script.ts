// Without it the dashboard is a set of ordinary pages; with it they follow what happens. Regions are replaced whole,
// but never one in which a person is choosing or typing; the focus and opened details stay where they were.
export const LIVE_SCRIPT = `
(() => {
  const mark = document.querySelector('.live');
  const typing = (region) => {
    const active = document.activeElement;
    return active && region.contains(active) && /^(INPUT|SELECT|TEXTAREA)$/.test(active.tagName);
  };
  const keyOf = (element) => element && (element.id || element.getAttribute('href') || element.dataset.key);
  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (!answer.ok) return;
    const text = await answer.text();
    // Its style sheet stays out: it carries the nonce of another page.
    const fresh = new DOMParser().parseFromString(text.slice(text.indexOf('<body')), 'text/html');
    for (const region of document.querySelectorAll('[data-live]')) {
      const next = fresh.querySelector('[data-live="' + region.dataset.live + '"]');
      if (!next || typing(region) || next.innerHTML === region.innerHTML) continue;
      const focused = region.contains(document.activeElement) ? keyOf(document.activeElement) : null;
      const open = [...region.querySelectorAll('details[open]')].map((each) => each.id);
      region.innerHTML = next.innerHTML;
      for (const id of open) {
        const details = id && document.getElementById(id);
        if (details) details.open = true;
      }
      if (!focused) continue;
      for (const each of region.querySelectorAll('a,button,summary')) if (keyOf(each) === focused) each.focus();
    }
  };
  let timer;
  let again = false;
  let busy = false;
  const soon = () => {
    if (busy) { again = true; return; }
    clearTimeout(timer);
    timer = setTimeout(async () => {
      busy = true;
      try { await refresh(); } catch { /* The next change asks again. */ }
      busy = false;
      if (again) { again = false; soon(); }
    }, 100);
  };
  const toast = document.querySelector('.toast');
  let fade;
  const say = (text) => {
    toast.textContent = text;
    clearTimeout(fade);
    fade = setTimeout(() => { toast.textContent = ''; }, 6000);
  };
  document.addEventListener('submit', async (event) => {
    const form = event.target;
    if (form.method !== 'post') return;
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = 'yes';
    try {
      const answer = await fetch(form.action, {
        method: 'POST',
        headers: { accept: 'application/json' },
        body: new URLSearchParams(new FormData(form)),
      });
      const result = await answer.json();
      const declined = result.status === 'declined' && result.error;
      if (!answer.ok || declined) say(result.error ? result.error.message : 'It did not work.');
      else say((event.submitter ? event.submitter.textContent.trim() : form.ariaLabel || 'Asked') + ': done.');
      document.activeElement.matches('input,select') && document.activeElement.blur();
      await refresh();
    } catch {
      say('The sandbox did not answer.');
    }
    delete form.dataset.busy;
  });
  const source = new EventSource('/_sandbox/live');
  source.onopen = () => { if (mark) { mark.dataset.on = ''; mark.textContent = 'Live'; } soon(); };
  source.onmessage = soon;
  source.onerror = () => { if (mark) { delete mark.dataset.on; mark.textContent = 'Reconnecting…'; } };
  addEventListener('pagehide', () => source.close());
  setInterval(() => {
    const clock = document.querySelector('[data-now]');
    if (!clock) return;
    const began = Number(clock.dataset.seen) || (clock.dataset.seen = String(performance.now()), performance.now());
    const now = Number(clock.dataset.now) + (performance.now() - began) * Number(clock.dataset.speed);
    clock.textContent = new Date(now).toISOString().slice(0, 19).replace('T', ' ');
  }, 500);
})();
`
