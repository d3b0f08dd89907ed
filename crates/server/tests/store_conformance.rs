//! What every backend of the store must do. A new backend adds a `Place` and one line at the end.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;
mod conformance {
    pub mod care;
    pub mod cases;
    pub mod commits;
    pub mod desk;
    pub mod directory;
    pub mod mail;
    pub mod policy;
    pub mod rows;
    pub mod sweep;
}

macro_rules! conformance {
    ($backend:ident, $place:expr) => {
        conformance!($backend, $place;
            directory: the_trees_records, roots_are_given_once, what_is_owed, an_end_that_is_owed_keeps_its_chain;
            rows: accounts, handles_and_skeletons, account_state_and_last_seen, age_guardian_and_person, chains, removing_an_account,
                addresses, heads, answers, key_packages, blocks, tokens, tokens_near, queue_keys, devices_near, invites, payloads;
            cases: cases_change, the_queue_is_in_order, cases_about_the_same, reports, notes_of_what_was_reported,
                statements, old_cases_go;
            desk: staff_come_and_go, desk_invites, the_log_only_grows, verifying_follows_the_log;
            policy: the_rules_that_were_in_force;
            mail: mailboxes, entries_in_order_and_bounded, deleting_entries, hour_keys, removing_a_mailbox,
                numbers_without_bounds, entries_need_new_numbers;
            commits: a_failing_job_fails_its_commit, a_job_that_only_read_fails_alone, a_panic_fails_the_commit,
                callbacks_come_in_order, failed_callbacks_stay_silent, jobs_of_one_commit_see_each_other,
                readers_cannot_write, readers_see_what_was_answered, closing_answers_everybody,
                the_cache_tells_the_truth;
            sweep: old_entries_go, no_holes_come_about, idle_hour_keys_go, other_old_rows_go, dead_addresses_go, old_heads_become_tombstones,
                ended_chains_go, held_accounts_stay, small_steps_reach_everything;
            care: reopening_keeps_everything, another_process_is_noticed, two_processes_write_in_turn,
                a_backup_is_a_whole_store, a_backup_replaces_nothing, verifying_finds_what_is_wrong, settling, counting;
        );
    };
    ($backend:ident, $place:expr; $($room:ident: $($scenario:ident),+;)+) => {
        mod $backend {
            $($(
                #[test]
                fn $scenario() {
                    crate::conformance::$room::$scenario(&$place);
                }
            )+)+
        }
    };
}

conformance!(sqlite, crate::common::SqlitePlace::new());
