"""Stripe's Python library against a running sandbox, whose address is the first argument. Prints what failed, or ok."""

import json
import queue
import sys
import threading
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import stripe

SANDBOX = sys.argv.pop(1)
stripe.api_base = SANDBOX
stripe.api_key = "sk_test_python"
stripe.max_network_retries = 0

LINE_ITEMS = [
    {
        "quantity": 2,
        "price_data": {"currency": "eur", "unit_amount": 6450, "product_data": {"name": "Kayak à l’aube"}},
    }
]


def control(path, body):
    request = urllib.request.Request(
        f"{SANDBOX}/_sandbox/{path}", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def open_session(**more):
    return stripe.checkout.Session.create(
        mode="payment",
        line_items=LINE_ITEMS,
        success_url="http://localhost/thanks?session_id={CHECKOUT_SESSION_ID}",
        metadata={"booking_id": "b1"},
        payment_intent_data={"metadata": {"booking_id": "b1"}},
        **more,
    )


def paid(card="pm_card_visa", **more):
    return stripe.PaymentIntent.create(amount=2000, currency="eur", payment_method=card, confirm=True, **more)


class Receiver:
    """Keeps what arrives, as (body, signature)."""

    def __init__(self):
        arrived = self.arrived = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                arrived.put((body, self.headers["stripe-signature"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class PythonClient(unittest.TestCase):
    def test_checkout_is_paid_and_told_by_signed_webhooks(self):
        receiver = Receiver()
        endpoint = stripe.WebhookEndpoint.create(
            url=receiver.url, enabled_events=["checkout.session.completed", "charge.refunded"]
        )
        session = open_session(client_reference_id="ref-1")
        self.assertEqual((session.status, session.amount_total, session.payment_intent), ("open", 12900, None))
        control(f"sessions/{session.id}/pay", {"card": "4242424242424242", "email": "ana@example.com"})
        body, signature = receiver.arrived.get(timeout=10)
        event = stripe.Webhook.construct_event(body, signature, endpoint.secret)
        self.assertEqual(event.type, "checkout.session.completed")
        self.assertEqual(event.data.object.payment_status, "paid")
        with self.assertRaises(stripe.error.SignatureVerificationError):
            stripe.Webhook.construct_event(body, signature, "whsec_other")

        again = stripe.checkout.Session.retrieve(session.id, expand=["payment_intent.latest_charge", "line_items"])
        self.assertEqual(again.payment_intent.latest_charge.amount, 12900)
        self.assertEqual(again.line_items.data[0].description, "Kayak à l’aube")
        self.assertEqual(again.payment_intent.metadata.booking_id, "b1")

        stripe.Refund.create(payment_intent=again.payment_intent.id, amount=900)
        body, signature = receiver.arrived.get(timeout=10)
        refunded = stripe.Webhook.construct_event(body, signature, endpoint.secret)
        self.assertEqual(refunded.data.object.amount_refunded, 900)
        stripe.WebhookEndpoint.delete(endpoint.id)

    def test_errors_have_the_classes_and_fields_of_stripe(self):
        with self.assertRaises(stripe.error.CardError) as declined:
            paid("pm_card_visa_chargeDeclinedInsufficientFunds")
        error = declined.exception
        self.assertEqual((error.http_status, error.code), (402, "card_declined"))
        self.assertEqual(error.error.decline_code, "insufficient_funds")
        self.assertEqual(error.error.payment_intent.status, "requires_payment_method")
        with self.assertRaises(stripe.error.InvalidRequestError) as unknown:
            stripe.PaymentIntent.retrieve("pi_none")
        self.assertEqual((unknown.exception.http_status, unknown.exception.param), (404, "intent"))
        with self.assertRaises(stripe.error.InvalidRequestError):
            stripe.Customer.create(nickname="Ana")
        with self.assertRaises(stripe.error.AuthenticationError):
            stripe.Customer.create(api_key="sk_live_0123456789")

    def test_an_idempotency_key_makes_one_payment(self):
        first, second = (paid(idempotency_key="python-1") for _ in range(2))
        self.assertEqual(first.id, second.id)
        self.assertEqual(second.last_response.headers["Idempotent-Replayed"], "true")
        with self.assertRaises(stripe.error.IdempotencyError):
            paid(idempotency_key="python-1", description="another")

    def test_lists_page_by_themselves(self):
        made = [stripe.Customer.create(email="page@example.com").id for _ in range(7)]
        listed = [row.id for row in stripe.Customer.list(email="page@example.com", limit=3).auto_paging_iter()]
        self.assertEqual(listed, list(reversed(made)))

    def test_objects_are_changed_and_cleared(self):
        customer = stripe.Customer.create(name="Ana", metadata={"a": "1", "b": "2"})
        customer.metadata["a"] = "3"
        customer.metadata["b"] = None
        customer.description = "regular"
        customer.save()
        again = stripe.Customer.retrieve(customer.id)
        self.assertEqual((again.description, dict(again.metadata)), ("regular", {"a": "3"}))
        self.assertTrue(customer.delete().deleted)

    def test_a_hold_is_captured_in_part(self):
        held = paid(capture_method="manual")
        self.assertEqual(held.status, "requires_capture")
        self.assertEqual(held.capture(amount_to_capture=500).amount_received, 500)

    def test_a_dispute_is_answered(self):
        charge = paid().latest_charge
        opened = control(f"charges/{charge}/dispute", {"reason": "product_not_received"})
        dispute = stripe.Dispute.modify(opened["id"], evidence={"uncategorized_text": "winning_evidence"})
        self.assertEqual(dispute.status, "under_review")
        control("clock/advance", {"seconds": 10})
        self.assertEqual(stripe.Dispute.retrieve(opened["id"]).status, "won")

    def test_events_are_listed_by_type(self):
        intent = paid()
        events = stripe.Event.list(type="payment_intent.succeeded", limit=5)
        self.assertIn(intent.id, [event.data.object.id for event in events])


if __name__ == "__main__":
    unittest.main()
