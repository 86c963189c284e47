//! What `--help` says of the lines, the files and the remedies.

/// The end of `--help`.
pub const HELP: &str = "\
Finished consultations are read from consultation's database and payments through finance's API, page by page; \
the services may run on. Each difference is a line on standard output:

  MISSING_PAYMENT consultation=ID price=AMOUNT
      finance confirmed the payment and does not have it
  NO_PENDING_PAYMENT consultation=ID price=AMOUNT
      there is neither a payment nor a pending one
  WRONG_AMOUNT consultation=ID price=AMOUNT payment=AMOUNT
      the payment, or the pending one, has another amount than the price
  PAYMENT_WITHOUT_CONSULTATION payment=ID appointment=ID amount=AMOUNT
      the payment belongs to no finished consultation

A payment that the relay has not delivered yet is in transit. That is no difference. It is named when it is over an hour \
old:

  IN_TRANSIT_FOR_LONG consultation=ID price=AMOUNT since=TIME tries=NUMBER
      the payment was not delivered yet; lastError of the pending payment says why

A conflict that an operator has settled is no difference either:

  SETTLED consultation=ID price=AMOUNT payment=AMOUNT at=TIME
      finance's amount stands, by `settle`

The last line sums up. Its counts are stored for the console, if the user of the database may write. Nothing else is \
changed without --send-again and --adopt --yes.

--known FILE names payments of another system: a UUID a line, of the appointment or of the payment; # begins a comment. \
They are counted apart. An entry that matches no payment without a consultation is noted on standard error.

--send-again is for a finance that was restored from an older backup. Each MISSING_PAYMENT and NO_PENDING_PAYMENT is put \
back on its way, with a record of it in the table `redelivery`, and running services deliver it as ever:

  SENT_AGAIN consultation=ID amount=AMOUNT
      in transit; a later run says that both sides agree

A delivered payment with a WRONG_AMOUNT is put on its way too, and stays a difference: finance will refuse it, and then it \
can be settled.

--adopt --yes is for a consultation service that was restored from an older backup. Each PAYMENT_WITHOUT_CONSULTATION that is \
not known gets a finished consultation of its price, with the origin ADOPTED, that ends when the payment was recorded and starts \
at the time in its id, or a second before its end. Physician and patient are unknown: the nil UUID. One that is in progress \
here is finished with the payment's amount; its patient may then start another. One that was cancelled stays a difference.

  ADOPTED consultation=ID price=AMOUNT start=TIME end=TIME
      it was unknown
  FINISHED consultation=ID price=AMOUNT start=TIME end=TIME
      it was in progress

That cannot be undone. Without --yes the lines are WOULD_ADOPT and WOULD_FINISH, and nothing is changed. Look at them first: \
what is really in progress and has a payment of another program would be finished too, and what an import from the \
predecessor brings is better imported again than adopted.

With --json each line is an object: code (as above), consultationId, price, amount, paymentId, appointmentId, since, tries, \
settledAt, startDate and endDate, as far as the finding has them. The last one has the code SUMMARY, and consultations, \
payments, inTransit, overdue, differences, settled, known, sentAgain and adopted; without it the comparison is incomplete.

--textfile writes reconcile_differences, reconcile_overdue, reconcile_settled, reconcile_known and \
reconcile_last_run_timestamp_seconds in Prometheus' text format, after a complete comparison only. FILE is replaced as a \
whole; its name should end in .prom.

Exit code: 0 if both sides agree, or will by what was done, 1 if they do not, 2 if one of them cannot be read or, if \
that was wanted, written, or finance is another than the accepted one, 3 if they agree but payments are in transit for over an hour.";
