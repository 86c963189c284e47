payment-conflict = The appointment is recorded with { $amount }; nothing was changed
negative = { $argument } must not be negative
too-large = { $argument } must be at most { $maximum }
too-precise = { $argument } must have at most two decimals
number-of-payments = Send 1 to { $maximum } payments
wrong-instance = This is finance instance { $instance }, not { $expected }; nothing was recorded
wrong-currency = This finance has payments in { $currency }; nothing was recorded
