// Without it the page is an ordinary form; with it a decline appears in place and a double click cannot happen.
export const CHECKOUT_SCRIPT = `
(() => {
  const form = document.getElementById('payment');
  if (!form) return;
  const pay = document.getElementById('pay');
  const declined = document.getElementById('declined');
  const progress = document.getElementById('progress');
  const input = (name) => form.elements.namedItem(name);
  let busy = false;

  const clear = () => {
    declined.textContent = '';
    for (const fault of form.querySelectorAll('.fault')) fault.textContent = '';
    for (const invalid of form.querySelectorAll('[aria-invalid]')) invalid.removeAttribute('aria-invalid');
  };
  const show = (fault) => {
    const place = fault.field && document.getElementById(fault.field + '-fault');
    if (!place) {
      declined.textContent = fault.message;
      declined.focus();
      return;
    }
    place.textContent = fault.message;
    const field = input(fault.field);
    field.setAttribute('aria-invalid', 'true');
    field.focus();
  };
  const setBusy = (on) => {
    busy = on;
    pay.setAttribute('aria-disabled', String(on));
    form.setAttribute('aria-busy', String(on));
    progress.textContent = on ? form.dataset.processing : '';
  };
  const fill = (value) => {
    const iban = /^[A-Z]{2}/.test(value);
    const choice = document.getElementById(iban ? 'by-sepa' : 'by-card');
    if (choice) choice.checked = true;
    input(iban ? 'iban' : 'number').value = value;
    if (!iban) {
      const year = (new Date().getFullYear() + 2) % 100;
      input('expiry').value = '12 / ' + String(year).padStart(2, '0');
      input('cvc').value = '123';
    }
    const email = input('email');
    if (email && !email.value) email.value = 'ana@example.com';
    clear();
    markBrand();
    pay.focus();
  };

  form.addEventListener('submit', async (event) => {
    const button = event.submitter;
    event.preventDefault();
    if (button && button.name === 'fill') return fill(button.value);
    if (busy) return;
    clear();
    setBusy(true);
    try {
      const answer = await fetch(form.action, {
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(new FormData(form)),
      });
      const result = await answer.json();
      if (result.redirect) {
        progress.textContent = form.dataset.redirecting;
        location.assign(result.redirect);
        return;
      }
      if (result.submit) input('token').value = result.submit;
      setBusy(false);
      if (result.order) reprice(result);
      else if (result.fault) show(result.fault);
      else location.reload();
    } catch {
      // Not known whether it went through: the same token asks again without paying twice.
      form.submit();
    }
  });

  // A promotion code changes the order in place, and the card that is half typed stays.
  const order = document.getElementById('order');
  const reprice = (result) => {
    if (result.isOther) return location.reload();
    order.innerHTML = result.order;
    document.getElementById('pay-label').textContent = result.pay;
    const next = order.querySelector('#code') || order.querySelector('.plain');
    if (next) next.focus();
  };
  order.addEventListener('submit', async (event) => {
    event.preventDefault();
    const asked = event.target;
    try {
      const answer = await fetch(asked.action, {
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(new FormData(asked)),
      });
      const result = await answer.json();
      reprice(result);
    } catch {
      location.reload();
    }
  });

  const brandOf = (plain) => /^4/.test(plain) ? 'visa' : /^3[47]/.test(plain) ? 'amex' : /^(5[1-5]|2[2-7])/.test(plain) ? 'mastercard' : '';
  const markBrand = () => {
    const field = input('number');
    const box = field && field.closest('.with-brands');
    if (!box) return;
    const plain = digits(field.value);
    if (plain === '') delete box.dataset.brand; else box.dataset.brand = brandOf(plain);
  };
  const digits = (text) => text.replace(/\\D/g, '');
  const number = input('number');
  if (number) number.addEventListener('input', () => {
    const plain = digits(number.value).slice(0, 19);
    const amex = /^3[47]/.test(plain);
    number.value = (amex ? plain.replace(/^(\\d{4})(\\d{1,6})?(\\d{1,5})?.*$/, (_, a, b, c) => [a, b, c].filter(Boolean).join(' '))
      : plain.replace(/(\\d{4})(?=\\d)/g, '$1 '));
    markBrand();
  });
  const expiry = input('expiry');
  if (expiry) expiry.addEventListener('input', (event) => {
    if (event.inputType === 'deleteContentBackward') return;
    let plain = digits(expiry.value).slice(0, 6);
    if (/^[2-9]/.test(plain)) plain = '0' + plain;
    expiry.value = plain.length < 2 ? plain : plain.slice(0, 2) + ' / ' + plain.slice(2);
  });
  markBrand();
  // Back from a 3-D Secure that failed: what an arriving page already says is not read out by itself.
  if (declined.textContent !== '') declined.focus();
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
})();
`
