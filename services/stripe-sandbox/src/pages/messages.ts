export type Language = 'en' | 'fr'

const EN = {
  back: 'Back',
  testMode: 'Test mode',
  testModeHint: 'Nothing here is real: no card is charged.',
  merchant: 'Your shop',
  summary: 'Order summary',
  payment: 'Payment',
  total: 'Total',
  subtotal: 'Subtotal',
  discount: 'Discount',
  promotionCode: 'Promotion code',
  applyCode: 'Apply',
  removeCode: 'Remove the promotion code',
  codeExpired: 'This code has expired.',
  codeElsewhere: 'This code is invalid.',
  discountLost: 'This discount can no longer be redeemed. You have not been charged.',
  codeMinimum: 'This order is too small for this code.',
  quantity: 'Qty',
  each: 'each',
  contact: 'Contact',
  email: 'Email',
  payWith: 'Payment method',
  card: 'Card',
  sepa: 'SEPA Direct Debit',
  cardNumber: 'Card number',
  expiry: 'Expiry',
  expiryHint: 'MM / YY',
  cvc: 'CVC',
  name: 'Name on card',
  optional: 'optional',
  iban: 'IBAN',
  mandate: 'By paying you allow the shop to debit this account once.',
  pay: 'Pay',
  book: 'Book',
  donate: 'Donate',
  processing: 'Processing…',
  redirecting: 'Payment received. Taking you back to the shop…',
  testCards: 'Test cards',
  testAccounts: 'Test accounts',
  fill: 'Fill in',
  succeeds: 'succeeds',
  challenges: 'asks for 3-D Secure',
  declines: 'is declined',
  noFunds: 'has insufficient funds',
  disputed: 'succeeds, then is disputed',
  paidLater: 'succeeds after three minutes',
  fails: 'fails',
  powered: 'Stripe sandbox · a stand-in that runs on your machine',
  expiredTitle: 'This page has expired',
  expiredText: 'You have not been charged. Go back to the shop to start again.',
  completeTitle: 'You have already completed this payment',
  completeText: 'There is nothing left to do here. You can close this page.',
  toShop: 'Back to the shop',
  unknownTitle: 'There is no such page',
  unknownText: 'The payment page may have been deleted, or its address is incomplete.',
  challengeBank: 'Your bank',
  challengeTitle: 'Confirm it is you',
  challengeText: 'This stands for the page of your bank (3-D Secure). Decide how it ends:',
  challengePass: 'Complete authentication',
  challengeFail: 'Fail authentication',
  challengeClose: 'Close without answering',
  challengeDone: 'Authentication finished. You can close this page.',
  amount: 'Amount',
  date: 'Date',
  reference: 'Reference',
  receiptTitle: 'Receipt',
  required: 'Required.',
  emailInvalid: 'Enter an email address such as ana@example.com.',
  numberIncomplete: 'Your card number is incomplete.',
  expiryIncomplete: "Your card's expiry date is incomplete.",
  cvcIncomplete: "Your card's security code is incomplete.",
}

export type Messages = { readonly [K in keyof typeof EN]: string }

const FR: Messages = {
  back: 'Retour',
  testMode: 'Mode test',
  testModeHint: 'Rien n’est réel ici : aucune carte n’est débitée.',
  merchant: 'Votre boutique',
  summary: 'Récapitulatif',
  payment: 'Paiement',
  total: 'Total',
  subtotal: 'Sous-total',
  discount: 'Remise',
  promotionCode: 'Code promo',
  applyCode: 'Appliquer',
  removeCode: 'Retirer le code promo',
  codeExpired: 'Ce code a expiré.',
  codeElsewhere: 'Ce code n’est pas valable.',
  discountLost: 'Cette réduction n’est plus disponible. Rien n’a été débité.',
  codeMinimum: 'Cette commande est trop petite pour ce code.',
  quantity: 'Qté',
  each: 'l’unité',
  contact: 'Contact',
  email: 'E-mail',
  payWith: 'Moyen de paiement',
  card: 'Carte',
  sepa: 'Prélèvement SEPA',
  cardNumber: 'Numéro de carte',
  expiry: 'Expiration',
  expiryHint: 'MM / AA',
  cvc: 'CVC',
  name: 'Nom du titulaire',
  optional: 'facultatif',
  iban: 'IBAN',
  mandate: 'En payant, vous autorisez la boutique à débiter ce compte une fois.',
  pay: 'Payer',
  book: 'Réserver',
  donate: 'Donner',
  processing: 'Traitement…',
  redirecting: 'Paiement reçu. Retour à la boutique…',
  testCards: 'Cartes de test',
  testAccounts: 'Comptes de test',
  fill: 'Remplir',
  succeeds: 'réussit',
  challenges: 'demande 3-D Secure',
  declines: 'est refusée',
  noFunds: 'n’a pas de fonds suffisants',
  disputed: 'réussit, puis est contestée',
  paidLater: 'réussit après trois minutes',
  fails: 'échoue',
  powered: 'Bac à sable Stripe · une doublure qui tourne sur votre machine',
  expiredTitle: 'Cette page a expiré',
  expiredText: 'Vous n’avez pas été débité. Retournez à la boutique pour recommencer.',
  completeTitle: 'Vous avez déjà effectué ce paiement',
  completeText: 'Il n’y a plus rien à faire ici. Vous pouvez fermer cette page.',
  toShop: 'Retour à la boutique',
  unknownTitle: 'Cette page n’existe pas',
  unknownText: 'La page de paiement a peut-être été supprimée, ou son adresse est incomplète.',
  challengeBank: 'Votre banque',
  challengeTitle: 'Confirmez votre identité',
  challengeText: 'Ceci remplace la page de votre banque (3-D Secure). Décidez de la suite :',
  challengePass: 'Réussir l’authentification',
  challengeFail: 'Échouer à l’authentification',
  challengeClose: 'Fermer sans répondre',
  challengeDone: 'Authentification terminée. Vous pouvez fermer cette page.',
  amount: 'Montant',
  date: 'Date',
  reference: 'Référence',
  receiptTitle: 'Reçu',
  required: 'Obligatoire.',
  emailInvalid: 'Saisissez une adresse e-mail comme ana@example.com.',
  numberIncomplete: 'Le numéro de votre carte est incomplet.',
  expiryIncomplete: 'La date d’expiration de votre carte est incomplète.',
  cvcIncomplete: 'Le code de sécurité de votre carte est incomplet.',
}

// Stripe's messages are English; the hosted page says them in the payer's language.
const FR_DECLINES: Readonly<Record<string, string>> = {
  generic_decline: 'Votre carte a été refusée.',
  lost_card: 'Votre carte a été refusée.',
  stolen_card: 'Votre carte a été refusée.',
  fraudulent: 'Votre carte a été refusée.',
  insufficient_funds: 'Votre carte ne dispose pas de fonds suffisants.',
  expired_card: 'Votre carte a expiré.',
  incorrect_cvc: 'Le code de sécurité de votre carte est incorrect.',
  invalid_cvc: 'Le code de sécurité de votre carte est invalide.',
  processing_error:
    'Une erreur est survenue pendant le traitement de votre carte. Réessayez dans un instant.',
  card_velocity_exceeded: 'Votre carte a été refusée : trop de tentatives rapprochées ou plafond dépassé.',
  test_mode_live_card: 'Votre carte a été refusée : en mode test, seules les cartes de test fonctionnent.',
  incorrect_number: 'Le numéro de votre carte est incorrect.',
  invalid_number: 'Le numéro de votre carte est invalide.',
  invalid_expiry_month: 'Le mois d’expiration de votre carte est invalide.',
  invalid_expiry_year: 'L’année d’expiration de votre carte est invalide.',
  invalid_bank_account_iban: 'L’IBAN saisi est invalide.',
  payment_intent_authentication_failure:
    'L’authentification de votre moyen de paiement a échoué. Choisissez-en un autre et réessayez.',
}

const EN_DECLINES: Readonly<Record<string, string>> = {
  payment_intent_authentication_failure:
    'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
}

const MESSAGES: Readonly<Record<Language, Messages>> = { en: EN, fr: FR }

export function messagesOf(language: Language): Messages {
  return MESSAGES[language]
}

/** The message of a decline in the payer's language; Stripe's own sentence when there is no translation. */
export function declineMessage(
  language: Language,
  codes: { code: string; declineCode: string | null },
  message: string,
): string {
  const table = language === 'fr' ? FR_DECLINES : EN_DECLINES
  return table[codes.declineCode ?? codes.code] ?? table[codes.code] ?? message
}

/** The Session's locale decides; `auto` and unset follow the browser. Languages other than French read English. */
export function languageOf(locale: string | null, acceptLanguage: string | undefined): Language {
  const wanted = locale === null || locale === 'auto' ? (acceptLanguage ?? '') : locale
  const ranked = wanted
    .split(',')
    .map((entry) => {
      const [tag = '', quality] = entry.trim().split(';q=')
      return { tag: tag.toLowerCase().slice(0, 2), quality: quality === undefined ? 1 : Number(quality) || 0 }
    })
    .toSorted((a, b) => b.quality - a.quality)
  const first = ranked.find(({ tag }) => tag === 'fr' || tag === 'en')
  return first?.tag === 'fr' ? 'fr' : 'en'
}

/** The tag that formats amounts in that language. */
export function numberLocale(language: Language): string {
  return language === 'fr' ? 'fr-FR' : 'en-US'
}
