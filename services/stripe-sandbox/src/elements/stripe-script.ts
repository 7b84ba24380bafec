// The sandbox's stand-in for Stripe.js: the part that a page with a Payment Element needs. The fields are a frame of the
// sandbox's own origin, so what is typed there never reaches the page, as with Stripe's.
export const STRIPE_SCRIPT = `
(() => {
  'use strict';
  const origin = new URL(document.currentScript.src).origin;
  const fail = (message) => { throw new Error('Stripe sandbox: ' + message); };
  const idOf = (secret) => String(secret).split('_secret_')[0];

  // One question to the frame, one answer.
  const ask = (frame, question) => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => { port1.close(); resolve(data); };
    frame.contentWindow.postMessage(question, origin, [port2]);
  });

  // The frame follows the browser's light or dark, as the page around it does; appearance is not read.
  const createElements = (key, { clientSecret, locale = 'auto' }) => {
    if (!clientSecret) fail('elements() needs a clientSecret here.');
    let frame = null;
    const listeners = {};
    const tell = (event, detail) => (listeners[event] || []).forEach((listener) => listener(detail));
    const onMessage = (message) => {
      if (!frame || message.source !== frame.contentWindow || message.origin !== origin) return;
      const { kind, height, complete } = message.data || {};
      if (kind === 'height') frame.style.height = height + 'px';
      if (kind === 'ready') tell('ready', { elementType: 'payment' });
      if (kind === 'change') tell('change', { elementType: 'payment', complete, empty: false });
    };
    const element = {
      mount(target) {
        const place = typeof target === 'string' ? document.querySelector(target) : target;
        if (!place) fail('there is no such place to mount to.');
        const address = new URL('/elements/payment', origin);
        address.searchParams.set('key', key);
        address.searchParams.set('intent', idOf(clientSecret));
        address.searchParams.set('locale', locale);
        frame = document.createElement('iframe');
        frame.src = address.href;
        frame.title = 'Secure payment input frame';
        frame.allow = 'payment *';
        frame.style.cssText = 'border:0;display:block;width:100%;height:230px';
        frame.addEventListener('error', () => tell('loaderror', { elementType: 'payment' }));
        addEventListener('message', onMessage);
        place.replaceChildren(frame);
      },
      unmount() { removeEventListener('message', onMessage); if (frame) frame.remove(); frame = null; },
      destroy() { element.unmount(); },
      on(event, listener) { (listeners[event] ||= []).push(listener); return element; },
      off(event) { delete listeners[event]; return element; },
      update() { return element; },
      focus() { if (frame) frame.focus(); },
    };
    return {
      create: (type) => (type === 'payment' ? element : fail('only the payment element is here.')),
      getElement: () => element,
      update() {},
      fetchUpdates: async () => ({}),
      submit: async () => (frame ? ask(frame, { kind: 'submit' }) : fail('mount the element first.')),
      confirm: (question) => ask(frame, { kind: 'confirm', clientSecret, ...question }),
    };
  };

  const call = async (key, path) => {
    const answer = await fetch(origin + path, { headers: { authorization: 'Bearer ' + key } });
    const body = await answer.json();
    return answer.ok ? { paymentIntent: body } : { error: body.error };
  };

  const Stripe = (key) => {
    if (!/^pk_test_\\w+$/.test(key || '')) fail('any publishable test key (pk_test_...) will do, and nothing else.');
    return {
      elements: (options = {}) => createElements(key, options),
      async confirmPayment({ elements, confirmParams = {}, redirect = 'always' }) {
        const returnUrl = confirmParams.return_url;
        if (!returnUrl && redirect === 'always') fail('confirmPayment() needs a return_url.');
        const result = await elements.confirm({ returnUrl });
        if (result.error) return { error: result.error };
        const { paymentIntent } = result;
        const action = paymentIntent.next_action;
        if (action) {
          location.assign(action.redirect_to_url ? action.redirect_to_url.url : action.use_stripe_sdk.stripe_js);
          return new Promise(() => {});
        }
        if (redirect !== 'always') return { paymentIntent };
        const target = new URL(returnUrl);
        target.searchParams.set('payment_intent', paymentIntent.id);
        target.searchParams.set('payment_intent_client_secret', paymentIntent.client_secret);
        target.searchParams.set('redirect_status', 'succeeded');
        location.assign(target.href);
        return new Promise(() => {});
      },
      async handleNextAction({ clientSecret }) {
        const result = await this.retrievePaymentIntent(clientSecret);
        const action = result.paymentIntent && result.paymentIntent.next_action;
        if (!action) return result;
        location.assign(action.redirect_to_url ? action.redirect_to_url.url : action.use_stripe_sdk.stripe_js);
        return new Promise(() => {});
      },
      retrievePaymentIntent: (secret) =>
        call(key, '/v1/payment_intents/' + idOf(secret) + '?client_secret=' + encodeURIComponent(secret)),
    };
  };
  Stripe.version = 'sandbox';
  window.Stripe = Stripe;
})();
`
