import { renderSession, totalOf } from '../checkout/session.ts'
import { format } from '../money.ts'
import type { SessionRecord } from '../store/records.ts'
import type { Html } from './html.ts'
import { brandStyle } from './brand-style.ts'
import { html } from './html.ts'
import { BANK, BRANDS, CARD, LOCK } from './icons.ts'
import type { Page } from './layout.ts'
import type { Language, Messages } from './messages.ts'
import { messagesOf, numberLocale } from './messages.ts'
import { CHECKOUT_SCRIPT } from './checkout-script.ts'
import type { TypedCode } from './order-summary.ts'
import { orderSummary } from './order-summary.ts'

export type FieldName = 'email' | 'number' | 'expiry' | 'cvc' | 'name' | 'iban'
export type Fault = { readonly field: FieldName | null; readonly message: string }

/** What the payer sees in the fields; a card number is only ever put back when it is one of the test cards. */
export type FormState = {
  readonly submit: string
  readonly method: 'card' | 'sepa_debit'
  readonly values: Partial<Record<FieldName, string>>
  readonly fault: Fault | null
  /** A promotion code that was refused, and why. */
  readonly code?: TypedCode
}

const TEST_CARDS: readonly [number: string, what: keyof Messages][] = [
  ['4242 4242 4242 4242', 'succeeds'],
  ['4000 0025 0000 3155', 'challenges'],
  ['4000 0000 0000 0002', 'declines'],
  ['4000 0000 0000 9995', 'noFunds'],
  ['4000 0000 0000 0259', 'disputed'],
]
const TEST_ACCOUNTS: readonly [iban: string, what: keyof Messages][] = [
  ['FR14 2004 1010 0505 0001 3M02 606', 'succeeds'],
  ['FR30 2004 1010 0505 0001 3M02 609', 'paidLater'],
  ['FR84 2004 1010 0505 0001 3M02 607', 'fails'],
]

/** The payment form of an open Session. */
export function checkoutPage(session: SessionRecord, language: Language, state: FormState): Page {
  const text = messagesOf(language)
  const total = format(totalOf(session), session.currency, numberLocale(language))
  const first = session.lineItems[0]?.name ?? ''
  const branding = session.shown?.branding_settings
  return {
    language,
    title: `${first} · ${total}`,
    wide: true,
    script: CHECKOUT_SCRIPT,
    ...(branding ? { style: brandStyle(branding), picture: (branding.logo ?? branding.icon)?.url } : {}),
    main: html`
      <section class="order" id="order" aria-labelledby="summary">
        ${orderSummary(session, language, state.code)}
      </section>
      <section class="pay-form" aria-label="${text.payment}">
        ${form(session, { text, language, state })}
      </section>
      ${totalOf(session) === 0 ? null : trials(session, text)}
    `,
  }
}

type Parts = {
  readonly text: Messages
  readonly language: Language
  readonly state: FormState
}

/** What the button says: `Pay €129.00`. */
export function payLabel(session: SessionRecord, language: Language): string {
  const text = messagesOf(language)
  const verb = { book: text.book, donate: text.donate }[session.submitType ?? ''] ?? text.pay
  return `${verb} ${format(totalOf(session), session.currency, numberLocale(language))}`
}

function form(session: SessionRecord, parts: Parts): Html {
  const { text, state } = parts
  const types = renderSession(session, '').payment_method_types
  const debit = types.includes('sepa_debit')
  const general = state.fault !== null && state.fault.field === null ? state.fault.message : ''
  return html`
    <form
      class="card"
      method="post"
      action="/c/pay/${session.id}"
      novalidate
      id="payment"
      data-processing="${text.processing}"
      data-redirecting="${text.redirecting}"
    >
      <p class="alert" role="alert" aria-live="assertive" id="declined" tabindex="-1">${general}</p>
      <input type="hidden" name="token" value="${state.submit}" />
      ${emailField(session, parts)}
      ${totalOf(session) === 0 ? null : methods(debit, types.includes('card'), parts)}
      <button class="primary" id="pay" type="submit">
        ${LOCK} <span id="pay-label">${payLabel(session, parts.language)}</span>
      </button>
      ${note(session.shown?.custom_text?.submit)}
      <p class="progress" role="status" aria-live="polite" id="progress"></p>
    </form>
  `
}

// What the merchant has to say beside the button.
function note(text: { message: string } | null | undefined): Html | null {
  return text ? html`<p class="hint">${text.message}</p>` : null
}

function trials(session: SessionRecord, text: Messages): Html {
  const types = renderSession(session, '').payment_method_types
  return html`<div class="trials">
    ${quickFill(types.includes('sepa_debit'), types.includes('card'), text)}
  </div>`
}

function emailField(session: SessionRecord, parts: Parts): Html {
  if (session.customerEmail === null) {
    return field(parts, { name: 'email', label: parts.text.email, type: 'email', autocomplete: 'email' })
  }
  return html`<div>
    <label for="email">${parts.text.email}</label>
    <input id="email" name="email" type="email" value="${session.customerEmail}" readonly />
  </div>`
}

function methods(debit: boolean, card: boolean, parts: Parts): Html {
  const { text, state } = parts
  const sepaFirst = !card || (debit && state.method === 'sepa_debit')
  return html`
    ${
      debit && card
        ? html`<fieldset>
            <legend>${text.payWith}</legend>
            <div class="choice">
              <label
                ><input
                  type="radio"
                  id="by-card"
                  name="method"
                  value="card"
                  ${sepaFirst ? null : html`checked`}
                />
                ${CARD} ${text.card}</label
              >
              <label
                ><input
                  type="radio"
                  id="by-sepa"
                  name="method"
                  value="sepa_debit"
                  ${sepaFirst ? html`checked` : null}
                />
                ${BANK} ${text.sepa}</label
              >
            </div>
          </fieldset>`
        : html`<input type="hidden" name="method" value="${card ? 'card' : 'sepa_debit'}" />`
    }
    ${card ? html`<fieldset class="for-card">${cardFields(parts)}</fieldset>` : null}
    ${
      debit
        ? html`<fieldset class="for-sepa">
            ${field(parts, { name: 'iban', label: text.iban, autocomplete: 'off', placeholder: 'FR14 2004 1010 0505 0001 3M02 606' })}
            <p class="hint">${text.mandate}</p>
          </fieldset>`
        : null
    }
  `
}

function cardFields(parts: Parts): Html {
  const { text } = parts
  return html`
    ${field(parts, { name: 'number', label: text.cardNumber, autocomplete: 'cc-number', numeric: true, placeholder: '1234 1234 1234 1234', beside: BRANDS })}
    <div class="pair">
      ${field(parts, { name: 'expiry', label: text.expiry, autocomplete: 'cc-exp', numeric: true, placeholder: text.expiryHint })}
      ${field(parts, { name: 'cvc', label: text.cvc, autocomplete: 'cc-csc', numeric: true, placeholder: '123' })}
    </div>
    ${field(parts, { name: 'name', label: text.name, autocomplete: 'cc-name', hint: text.optional })}
  `
}

type Field = {
  readonly name: FieldName
  readonly label: string
  readonly autocomplete: string
  readonly type?: 'email'
  readonly numeric?: boolean
  readonly placeholder?: string
  readonly hint?: string
  /** Drawn inside the field, at its end. */
  readonly beside?: Html
}

function field(parts: Parts, spec: Field): Html {
  const { state } = parts
  const fault = state.fault?.field === spec.name ? state.fault.message : ''
  return html`<div>
    <label for="${spec.name}"
      >${spec.label}${spec.hint === undefined ? null : html` <span class="hint">(${spec.hint})</span>`}</label
    >
    <div ${spec.beside === undefined ? null : html`class="with-brands"`}>
      <input
        id="${spec.name}"
        name="${spec.name}"
        type="${spec.type ?? 'text'}"
        value="${state.values[spec.name] ?? ''}"
        autocomplete="${spec.autocomplete}"
        maxlength="200"
        ${spec.numeric ? html`inputmode="numeric"` : null}
        ${spec.placeholder === undefined ? null : html`placeholder="${spec.placeholder}"`}
        aria-describedby="${spec.name}-fault"
        ${fault === '' ? null : html`aria-invalid="true" autofocus`}
      />${spec.beside}
    </div>
    <p class="fault" id="${spec.name}-fault" role="alert">${fault}</p>
  </div>`
}

// Submit buttons of the same form, so that they fill the fields even where no script runs.
function quickFill(debit: boolean, card: boolean, text: Messages): Html {
  const button = ([value, what]: readonly [string, keyof Messages]): Html =>
    html`<li>
      <button type="submit" form="payment" name="fill" value="${value}" formnovalidate>
        <code>${value}</code> <span>${text[what]}</span>
      </button>
    </li>`
  return html`
    ${
      card
        ? html`<div class="tests for-card" role="group" aria-labelledby="test-cards">
            <h2 id="test-cards">${text.testCards}</h2>
            <ul>
              ${TEST_CARDS.map(button)}
            </ul>
          </div>`
        : null
    }
    ${
      debit
        ? html`<div class="tests for-sepa" role="group" aria-labelledby="test-accounts">
            <h2 id="test-accounts">${text.testAccounts}</h2>
            <ul>
              ${TEST_ACCOUNTS.map(button)}
            </ul>
          </div>`
        : null
    }
  `
}

/** Whether the text is one of the numbers the page itself offers. */
export function isOffered(value: string): boolean {
  const plain = value.replaceAll(/\s/g, '')
  return [...TEST_CARDS, ...TEST_ACCOUNTS].some(([offered]) => offered.replaceAll(' ', '') === plain)
}
