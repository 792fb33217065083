/* What happened to the trials of a database: one row each, as `query events` and `status` show it. */
#ifndef REPORT_EVENTS_H
#define REPORT_EVENTS_H

/* trial, attempt (number), at_utc, kind, text; oldest first. Kinds: `event` (a damaged checkpoint, a wait for
 * space, a run that vanished), `ended` (an attempt that crashed, failed or was timed out), `again` (the
 * attempt after one that did not bring the trial to its end). */
#define EVENTS_SQL                                                                                         \
    "SELECT e.trial_id AS trial, a.number AS attempt, e.at_utc, 'event' AS kind, e.text FROM event e"      \
    " LEFT JOIN attempt a ON a.id = e.attempt_id"                                                          \
    " UNION ALL SELECT trial_id, number, ended_utc, 'ended', outcome || coalesce(': ' || message, '')"     \
    " FROM attempt WHERE outcome IN ('crashed', 'failed', 'timed_out')"                                    \
    " UNION ALL SELECT a.trial_id, a.number, a.started_utc, 'again', 'goes on after attempt ' || b.number" \
    " || ', which ' || CASE b.outcome WHEN 'interrupted' THEN 'was interrupted' WHEN 'timed_out'"          \
    " THEN 'was timed out' WHEN 'crashed' THEN 'crashed' WHEN 'failed' THEN 'failed' ELSE 'ended' END"     \
    " FROM attempt a JOIN attempt b ON b.trial_id = a.trial_id AND b.number = a.number - 1"                \
    " WHERE a.number > 1 ORDER BY at_utc, trial, attempt, kind"

#endif
