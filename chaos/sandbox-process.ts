// The Stripe sandbox as a process of its own, with its delays shortened to fit into a campaign.
import { runService } from '@passerelle/kit/service'
import { startSandbox } from '@passerelle/stripe-sandbox/sandbox'
import { wireLog } from '@passerelle/stripe-sandbox/sent'

const { PORT = '0', WEBHOOK_URL = '', WEBHOOK_SECRET = '', WIRE_LOG } = process.env

await runService({
  name: 'stripe-sandbox',
  start: () =>
    startSandbox({
      port: Number(PORT),
      webhookUrl: WEBHOOK_URL,
      webhookSecret: WEBHOOK_SECRET,
      ...(WIRE_LOG === undefined ? {} : { onSent: wireLog(WIRE_LOG) }),
      settings: {
        chargeUpdatedDelayMs: 400,
        refundUpdatedDelayMs: 200,
        refundSettledDelayMs: 1200,
        disputeOpenedDelayMs: 200,
        disputeDecidedDelayMs: 800,
        debitDelayMs: 800,
        slowDebitDelayMs: 3000,
        redirectWaitMs: 300,
        deliveryTimeoutMs: 3000,
        // Stripe gives up too: what is never delivered is the sweep's.
        retryDelaysMs: [400, 1500, 5000, 15_000],
      },
    }),
})
