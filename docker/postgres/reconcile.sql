-- Compares what was finished with what was charged. Run as the superuser: no service may see both sides.
-- The last four are 0 when all is well; `in_transit` is what the relay has yet to deliver.
SELECT count(finished.id) AS finished_consultations,
       count(payment.id) AS payments,
       count(*) FILTER (WHERE payment.id IS NULL AND NOT pending.finished) AS in_transit,
       count(*) FILTER (WHERE finished.id IS NOT NULL AND pending.id IS NULL) AS without_pending_payment,
       count(*) FILTER (WHERE payment.id IS NULL AND pending.finished) AS lost,
       count(*) FILTER (WHERE finished.id IS NULL) AS without_consultation,
       count(*) FILTER (WHERE finished.price_cents <> payment.total_price_cents) AS of_another_amount
FROM (SELECT * FROM consultation.consultation WHERE end_date IS NOT NULL) AS finished
LEFT JOIN consultation.pending_payment AS pending ON pending.appointment_id = finished.id
FULL JOIN finance.payment AS payment ON payment.appointment_id = finished.id
