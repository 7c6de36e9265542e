// Makes charges with stripe-node, all at once, and prints as JSON what became
// of each call.
//
//     node charge.js PORT COUNT [KEY]
//
// With KEY the keys are KEY-0, KEY-1, ..., else stripe-node makes its own.

'use strict';

const Stripe = require('stripe');

const [port, count, key] = process.argv.slice(2);

const stripe = new Stripe('sk_test_shop', {
    host: '127.0.0.1',
    port: Number(port),
    protocol: 'http',
    maxNetworkRetries: 2,
    telemetry: false,
});

async function charge(call) {
    const params = {
        amount: 1000 + call,
        currency: 'eur',
        source: 'tok_visa',
        application_fee_amount: 500,
        metadata: { call },
    };
    const options = key ? { idempotencyKey: `${key}-${call}` } : {};

    try {
        const made = await stripe.charges.create(params, options);
        const { headers } = made.lastResponse;
        return {
            call,
            charge: made.id,
            replayed: headers['idempotent-replayed'] === 'true',
        };
    } catch (error) {
        return {
            call,
            error: error.type,
            status: error.statusCode,
            code: error.code,
        };
    }
}

Promise.all([...Array(Number(count)).keys()].map(charge))
    .then((calls) => {
        console.log(JSON.stringify(calls));
        // A retry leaves the answer before it unread: that connection would
        // keep this process alive until the gateway closes it.
        process.exit();
    });
