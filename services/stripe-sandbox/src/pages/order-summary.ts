import type Stripe from 'stripe'
import { discountOf, subtotalOf, totalOf } from '../checkout/session.ts'
import { format } from '../money.ts'
import type { LineItemRecord, SessionRecord } from '../store/records.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'
import { ARROW } from './icons.ts'
import type { Language, Messages } from './messages.ts'
import { messagesOf, numberLocale } from './messages.ts'

export type TypedCode = { readonly value: string; readonly fault: string }

/** What is bought and what it costs, with the field for a promotion code where the Session takes one. */
export function orderSummary(
  session: SessionRecord,
  language: Language,
  typed: TypedCode = { value: '', fault: '' },
): Html {
  const text = messagesOf(language)
  const money = (amount: number): string => format(amount, session.currency, numberLocale(language))
  return html`
    ${shopLine(session.shown?.branding_settings)}
    ${
      session.cancelUrl === null
        ? null
        : html`<a class="back" href="${session.cancelUrl}">${ARROW} ${text.back}</a>`
    }
    <h1 id="summary">${text.summary}</h1>
    <p class="due money" role="status">${money(totalOf(session))}</p>
    <ul class="items">
      ${session.lineItems.map((item) => line(item, text, money))}
    </ul>
    ${session.discount ? discountLines(session, text, money) : null}
    ${session.allowPromotionCodes && !session.discount ? codeField(session, text, typed) : null}
    <p class="sum"><span>${text.total}</span> <span class="money">${money(totalOf(session))}</span></p>
  `
}

// A logo stands for the name, an icon beside it.
function shopLine(branding: Stripe.Checkout.Session.BrandingSettings | undefined): Html | null {
  if (!branding) return null
  const { display_name: name, icon, logo } = branding
  if (logo?.url) return html`<p class="shop"><img class="picture logo" src="${logo.url}" alt="${name}" /></p>`
  const picture = icon?.url ? html`<img class="picture" src="${icon.url}" alt="" />` : null
  return html`<p class="shop">${picture}${name}</p>`
}

type Money = (amount: number) => string

function line(item: LineItemRecord, text: Messages, money: Money): Html {
  return html`<li>
    <span class="tile" aria-hidden="true">${item.name.slice(0, 1).toUpperCase()}</span>
    <span class="name"
      >${item.name}${item.description === null ? null : html`<small>${item.description}</small>`}${
        item.quantity === 1
          ? null
          : html`<small>${text.quantity} ${item.quantity} × ${money(item.unitAmount)} ${text.each}</small>`
      }</span
    >
    <span class="money">${money(item.unitAmount * item.quantity)}</span>
  </li>`
}

function discountLines(session: SessionRecord, text: Messages, money: Money): Html {
  const name = session.discount?.label ?? session.discount?.coupon ?? ''
  const isTyped = session.allowPromotionCodes && session.discount?.promotionCode
  return html`
    <p class="part"><span>${text.subtotal}</span> <span class="money">${money(subtotalOf(session))}</span></p>
    <div class="part">
      <span>${text.discount} <b class="code">${name}</b></span>
      ${
        isTyped
          ? html`<form method="post" action="/c/pay/${session.id}/promotion_code">
              <input type="hidden" name="remove" value="yes" />
              <button class="plain" type="submit" aria-label="${text.removeCode}">×</button>
            </form>`
          : null
      }
      <span class="money">−${money(discountOf(session))}</span>
    </div>
  `
}

function codeField(session: SessionRecord, text: Messages, typed: TypedCode): Html {
  return html`<form class="promotion" method="post" action="/c/pay/${session.id}/promotion_code" novalidate>
    <label for="code">${text.promotionCode}</label>
    <div class="beside">
      <input
        id="code"
        name="code"
        type="text"
        value="${typed.value}"
        autocomplete="off"
        autocapitalize="characters"
        maxlength="200"
        aria-describedby="code-fault"
        ${typed.fault === '' ? null : html`aria-invalid="true" autofocus`}
      />
      <button class="secondary" type="submit">${text.applyCode}</button>
    </div>
    <p class="fault" id="code-fault" role="alert">${typed.fault}</p>
  </form>`
}
