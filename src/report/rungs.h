/* Trials of a search in SQL: the trainings of its shorter rungs are no results. */
#ifndef REPORT_RUNGS_H
#define REPORT_RUNGS_H

/* Whether a block of a spec names a trial: only then is it a result. */
#define IN_BLOCK(trial) "EXISTS (SELECT 1 FROM block_trial y WHERE y.trial_id = " trial " AND y.in_spec)"

/* Whether a trial is such a training and nothing else. Views and curves need no such condition: they show
 * what a block names, and no block names these; a sweep of its own that asks for the same training makes it a
 * result like others. `trial`: the row id, with the name of its table. */
#define SHORTER_RUNG(trial)                                   \
    "(EXISTS (SELECT 1 FROM rung x WHERE x.trial_id = " trial \
    " AND x.rung < x.rungs) AND NOT " IN_BLOCK(trial) ")"

/* Whether no spec names a trial any more, no search's rung either. */
#define OUTSIDE_SPEC(trial)                                                                   \
    "(NOT " IN_BLOCK(trial) " AND NOT EXISTS (SELECT 1 FROM rung x WHERE x.trial_id = " trial \
                            " AND x.in_spec))"

/* No block names the trainings of a search's shorter rungs, but its sweep trains them: its name, with commas
 * of several searches. */
#define SWEEPS_OF_RUNGS(trial)                                                                              \
    "(SELECT group_concat(DISTINCT s.name) FROM rung x JOIN sweep s ON s.id = x.sweep_id WHERE x.trial_id " \
    "= " trial " AND x.in_spec)"

/* A column of the rung that a trial is in (`rung`, `rungs`), NULL without a search. */
#define RUNG_OF(trial, column) \
    "(SELECT " column " FROM rung x WHERE x.trial_id = " trial " ORDER BY in_spec DESC LIMIT 1)"

/* The trials of a block and their axes, with those of the shorter rungs that its search trains for them: what
 * a block has cost. `block`: its id, as a literal. */
#define TRIALS_OF_ALL_RUNGS(block)                                                                        \
    "(SELECT m.trial_id, m.axes FROM block_trial m WHERE m.block_id = " block " AND m.in_spec UNION "     \
    "SELECT x.trial_id, m.axes FROM block_trial m JOIN block b ON b.id = m.block_id JOIN rung x ON "      \
    "x.full_trial_id = m.trial_id AND x.sweep_id = b.sweep_id WHERE m.block_id = " block " AND m.in_spec" \
    " AND x.in_spec)"

#endif
