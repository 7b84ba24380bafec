import type { FastifyRequest } from 'fastify'
import type { Log } from '@passerelle/kit/log'
import type { Deliverer } from '../events/deliver.ts'
import type { FormObject } from '../http/form.ts'
import { emptyForm, FormError, parseForm } from '../http/form.ts'
import type { Store } from '../store/store.ts'
import type { SessionRecord } from '../store/records.ts'
import { totalOf } from '../checkout/session.ts'
import type { FieldName, Fault, FormState } from './checkout-page.ts'
import { isOffered } from './checkout-page.ts'
import { newId } from '../ids.ts'
import type { Messages } from './messages.ts'
import type { Submission } from './submit-payment.ts'

export type PageDeps = { readonly store: Store; readonly deliverer: Deliverer; readonly log: Log }

export type FormRead =
  | { readonly kind: 'ready'; readonly submission: Submission }
  | { readonly kind: 'fault'; readonly fault: Fault }

/** Reads what the payer typed, or says in their language what is missing. Nothing is charged on a fault. */
export function readPaymentForm(session: SessionRecord, form: FormObject, text: Messages): FormRead {
  const email = valueOf(form, 'email')
  if (session.customerEmail === null) {
    if (email === '') return fault('email', text.required)
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return fault('email', text.emailInvalid)
  }
  const submit = valueOf(form, 'token')
  const payer = { email, name: valueOf(form, 'name') || undefined, submit }
  if (totalOf(session) === 0)
    return { kind: 'ready', submission: { ...payer, means: { kind: 'alias', id: 'pm_card_visa' } } }
  if (valueOf(form, 'method') === 'sepa_debit') {
    const iban = valueOf(form, 'iban')
    return iban === ''
      ? fault('iban', text.required)
      : { kind: 'ready', submission: { ...payer, means: { kind: 'iban', iban } } }
  }
  return readCard(form, payer, text)
}

function readCard(form: FormObject, payer: Omit<Submission, 'means'>, text: Messages): FormRead {
  const number = valueOf(form, 'number').replaceAll(/[\s-]/g, '')
  if (number.length < 12) return fault('number', number === '' ? text.required : text.numberIncomplete)
  const expiry = /^(\d{1,2})\s*\/?\s*(\d{2}|\d{4})$/.exec(valueOf(form, 'expiry'))
  if (!expiry) return fault('expiry', valueOf(form, 'expiry') === '' ? text.required : text.expiryIncomplete)
  const cvc = valueOf(form, 'cvc')
  if (cvc.length < 3) return fault('cvc', cvc === '' ? text.required : text.cvcIncomplete)
  const year = Number(expiry[2])
  return {
    kind: 'ready',
    submission: {
      ...payer,
      means: {
        kind: 'card',
        number,
        expMonth: Number(expiry[1]),
        expYear: year < 100 ? 2000 + year : year,
        cvc,
      },
    },
  }
}

/** Every page and every decline gets a new token; only a repeated click carries the same. */
export function stateOf(form: FormObject): FormState {
  const number = valueOf(form, 'number')
  return {
    submit: newId('submit'),
    method: valueOf(form, 'method') === 'sepa_debit' ? 'sepa_debit' : 'card',
    values: {
      email: valueOf(form, 'email'),
      name: valueOf(form, 'name'),
      iban: valueOf(form, 'iban'),
      ...(isOffered(number) ? { number, expiry: valueOf(form, 'expiry'), cvc: valueOf(form, 'cvc') } : {}),
    },
    fault: null,
  }
}

/** Which field a decline is about, if it is about one. */
export function fieldOf(param: string | null): FieldName | null {
  switch (param) {
    case 'number':
      return 'number'
    case 'exp_month':
    case 'exp_year':
      return 'expiry'
    case 'cvc':
      return 'cvc'
    case 'iban':
      return 'iban'
    default:
      return null
  }
}

export function valueOf(form: FormObject, name: string): string {
  const value = form[name]
  return typeof value === 'string' ? value.trim().slice(0, 200) : ''
}

function fault(field: FieldName, message: string): FormRead {
  return { kind: 'fault', fault: { field, message } }
}

/** The posted form; what cannot be read counts as empty. */
export function formOf(request: FastifyRequest): FormObject {
  try {
    return typeof request.body === 'string' ? parseForm(request.body) : emptyForm()
  } catch (error) {
    if (error instanceof FormError) return emptyForm()
    throw error
  }
}
