// Runs in the frame with the card's fields. Only its parent may ask, and only with the payment's client secret.
export const FRAME_SCRIPT = `
(() => {
  'use strict';
  const form = document.getElementById('fields');
  const { key, intent } = form.dataset;
  const field = (name) => form.elements.namedItem(name);
  const digits = (text) => text.replace(/\\D/g, '');
  const tellParent = (message) => parent.postMessage(message, '*');
  new ResizeObserver(() => tellParent({ kind: 'height', height: document.documentElement.offsetHeight })).observe(document.documentElement);

  const faults = () => {
    const number = digits(field('number').value);
    const [month = '', year = ''] = field('expiry').value.split('/').map(digits);
    const wrong = [];
    if (number.length < 12) wrong.push('number');
    if (!(Number(month) >= 1 && Number(month) <= 12) || ![2, 4].includes(year.length)) wrong.push('expiry');
    if (digits(field('cvc').value).length < 3) wrong.push('cvc');
    return wrong;
  };
  const show = (wrong) => {
    for (const name of ['number', 'expiry', 'cvc']) {
      const isWrong = wrong.includes(name);
      field(name).setAttribute('aria-invalid', String(isWrong));
      document.getElementById(name + '-fault').textContent = isWrong ? form.dataset[name] : '';
    }
    if (wrong[0]) field(wrong[0]).focus();
  };
  const submit = () => {
    const wrong = faults();
    show(wrong);
    if (wrong.length === 0) return {};
    return { error: { type: 'validation_error', code: 'incomplete_' + wrong[0], message: form.dataset[wrong[0]] } };
  };
  const confirm = async ({ clientSecret, returnUrl }) => {
    const [month, year] = field('expiry').value.split('/').map(digits);
    const body = new URLSearchParams({
      client_secret: clientSecret,
      'payment_method_data[type]': 'card',
      'payment_method_data[card][number]': digits(field('number').value),
      'payment_method_data[card][exp_month]': month,
      'payment_method_data[card][exp_year]': year.length === 2 ? '20' + year : year,
      'payment_method_data[card][cvc]': digits(field('cvc').value),
    });
    if (returnUrl) body.set('return_url', returnUrl);
    try {
      const answer = await fetch('/v1/payment_intents/' + intent + '/confirm', {
        method: 'POST',
        headers: { authorization: 'Bearer ' + key, 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
      const result = await answer.json();
      return answer.ok ? { paymentIntent: result } : { error: result.error };
    } catch {
      return { error: { type: 'api_connection_error', message: 'There was no answer.' } };
    }
  };

  addEventListener('message', async ({ data, source, ports: [port] }) => {
    if (source !== parent || !port || !data) return;
    if (data.kind === 'submit') port.postMessage(submit());
    if (data.kind === 'confirm') port.postMessage(submit().error ? submit() : await confirm(data));
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', ({ target }) => {
    if (target.name === 'number') target.value = digits(target.value).slice(0, 19).replace(/(\\d{4})(?=\\d)/g, '$1 ');
    tellParent({ kind: 'change', complete: faults().length === 0 });
  });
  field('expiry').addEventListener('input', ({ inputType, target }) => {
    if (inputType === 'deleteContentBackward') return;
    let plain = digits(target.value).slice(0, 6);
    if (/^[2-9]/.test(plain)) plain = '0' + plain;
    target.value = plain.length < 2 ? plain : plain.slice(0, 2) + ' / ' + plain.slice(2);
  });
  for (const button of document.querySelectorAll('[data-fill]')) button.addEventListener('click', () => {
    const year = (new Date().getFullYear() + 2) % 100;
    field('number').value = button.dataset.fill;
    field('expiry').value = '12 / ' + String(year).padStart(2, '0');
    field('cvc').value = '123';
    show([]);
  });
  tellParent({ kind: 'ready' });
})();
`
