//! The trait's operations, each in the file of what it keeps.

use zegel_cases::State;
use zegel_identity::SignedLink;
use zegel_proto::{AccountId, BlobName, DeviceId, RoomId, v1::AgeBand};

use super::{
    accounts, cases, desk, directory, entries, heads, mailboxes, names, policy, stock, sweep,
    tx::{SqliteTx, Then},
};
use crate::store::{
    Account, AccountState, CaseRow, Counts, Cut, DeskInvite, Head, HourKeyRow, Invite, Mailbox, Owed,
    PolicyRow, QueuePlace, ReportHead, ReportRow, RootRow, StaffRow, StoreResult, StoredEntry, TokenRow, Tx,
};

impl Tx for SqliteTx<'_> {
    fn after_commit(&mut self, then: Then) {
        self.after.push(then);
    }

    fn account(&mut self, id: &AccountId) -> StoreResult<Option<Account>> {
        accounts::get(self, id)
    }
    fn account_of_handle(&mut self, handle: &str) -> StoreResult<Option<AccountId>> {
        accounts::of_handle(self, handle)
    }
    fn skeleton_used(&mut self, skeleton: &str) -> StoreResult<bool> {
        accounts::skeleton_used(self, skeleton)
    }
    fn put_account(&mut self, account: &Account, skeleton: &str) -> StoreResult<()> {
        accounts::put(self, account, skeleton)
    }
    fn set_account_state(&mut self, id: &AccountId, state: AccountState, until_day: u32) -> StoreResult<()> {
        accounts::set_state(self, id, state, until_day)
    }
    fn set_account_held(&mut self, id: &AccountId, held: bool) -> StoreResult<()> {
        accounts::set_held(self, id, held)
    }
    fn set_account_age(&mut self, id: &AccountId, age_band: AgeBand) -> StoreResult<()> {
        accounts::set_age(self, id, age_band)
    }
    fn set_account_guardian(&mut self, id: &AccountId, guardian: Option<[u8; 32]>) -> StoreResult<()> {
        accounts::set_guardian(self, id, guardian)
    }
    fn set_account_person(&mut self, id: &AccountId, person: &[u8]) -> StoreResult<()> {
        accounts::set_person(self, id, person)
    }
    fn person(&mut self, id: &AccountId) -> StoreResult<Option<Vec<u8>>> {
        accounts::person(self, id)
    }
    fn set_last_seen(&mut self, id: &AccountId, day: u32) -> StoreResult<()> {
        accounts::set_last_seen(self, id, day)
    }
    fn remove_account(&mut self, id: &AccountId, today: u32) -> StoreResult<()> {
        accounts::remove(self, id, today)
    }
    fn chain(&mut self, id: &AccountId) -> StoreResult<Vec<SignedLink>> {
        accounts::chain(self, id)
    }
    fn append_chain(&mut self, id: &AccountId, seq: u64, link: &SignedLink) -> StoreResult<()> {
        accounts::append_chain(self, id, seq, link)
    }

    fn mailbox(&mut self, device: &DeviceId) -> StoreResult<Option<Mailbox>> {
        mailboxes::get(self, device)
    }
    fn put_queue_key(&mut self, device: &DeviceId, sealed: &[u8]) -> StoreResult<()> {
        mailboxes::put_queue_key(self, device, sealed)
    }
    fn queue_key(&mut self, device: &DeviceId) -> StoreResult<Option<Vec<u8>>> {
        mailboxes::queue_key(self, device)
    }
    fn device_near(&mut self, device: &DeviceId) -> StoreResult<Option<DeviceId>> {
        mailboxes::near(self, device)
    }
    fn put_mailbox(&mut self, device: &DeviceId, mailbox: &Mailbox) -> StoreResult<()> {
        mailboxes::put(self, device, mailbox)
    }
    fn remove_mailbox(&mut self, device: &DeviceId) -> StoreResult<()> {
        mailboxes::remove(self, device)
    }
    fn put_entry(&mut self, device: &DeviceId, seq: u64, hour: u32, entry: &StoredEntry) -> StoreResult<()> {
        entries::put(self, device, seq, hour, entry)
    }
    fn entries(
        &mut self,
        device: &DeviceId,
        from: u64,
        limit: usize,
        bytes: usize,
    ) -> StoreResult<Vec<(u64, StoredEntry)>> {
        entries::list(self, device, from, limit, bytes)
    }
    fn delete_entries(&mut self, device: &DeviceId, up_to: u64) -> StoreResult<()> {
        entries::delete(self, device, up_to)
    }
    fn put_hour_key(&mut self, device: &DeviceId, key: &HourKeyRow) -> StoreResult<()> {
        entries::put_hour_key(self, device, key)
    }
    fn hour_key(&mut self, device: &DeviceId, id: u64) -> StoreResult<Option<HourKeyRow>> {
        entries::hour_key(self, device, id)
    }

    fn address(&mut self, hash: &[u8; 32]) -> StoreResult<Option<Vec<u8>>> {
        names::address(self, hash)
    }
    fn put_address(&mut self, hash: &[u8; 32], sealed: &[u8]) -> StoreResult<()> {
        names::put_address(self, hash, sealed)
    }
    fn bury_address(&mut self, hash: &[u8; 32], sealed: &[u8], day: u32) -> StoreResult<()> {
        names::bury_address(self, hash, sealed, day)
    }

    fn head(&mut self, room: &RoomId) -> StoreResult<Option<Head>> {
        heads::get(self, room)
    }
    fn put_head(&mut self, room: &RoomId, head: &Head) -> StoreResult<()> {
        heads::put(self, room, head)
    }

    fn answer(&mut self, key: &[u8; 32]) -> StoreResult<Option<Vec<u8>>> {
        names::answer(self, key)
    }
    fn put_answer(&mut self, key: &[u8; 32], hour: u32, sealed: &[u8]) -> StoreResult<()> {
        names::put_answer(self, key, hour, sealed)
    }
    fn delete_answers(&mut self, keys: &[[u8; 32]]) -> StoreResult<()> {
        names::delete_answers(self, keys)
    }

    fn key_packages(&mut self, device: &DeviceId) -> StoreResult<(u32, bool)> {
        stock::count(self, device)
    }
    fn put_key_package(&mut self, device: &DeviceId, last_resort: bool, sealed: &[u8]) -> StoreResult<()> {
        stock::put(self, device, last_resort, sealed)
    }
    fn take_key_package(&mut self, device: &DeviceId) -> StoreResult<Option<(Vec<u8>, bool)>> {
        stock::take(self, device)
    }
    fn stocked(&mut self, device: &DeviceId) -> StoreResult<Vec<(i64, Vec<u8>, bool)>> {
        stock::list(self, device)
    }
    fn drop_key_packages(&mut self, device: &DeviceId, names: &[i64]) -> StoreResult<()> {
        stock::drop_these(self, device, names)
    }
    fn clear_key_packages(&mut self, device: &DeviceId) -> StoreResult<()> {
        stock::clear(self, device)
    }

    fn blocked(&mut self, tag: &[u8; 32]) -> StoreResult<bool> {
        names::blocked(self, tag)
    }
    fn set_block(&mut self, tag: &[u8; 32], blocked: bool) -> StoreResult<()> {
        names::set_block(self, tag, blocked)
    }
    fn put_token(&mut self, hash: &[u8; 32], last_day: u32, sealed: &[u8]) -> StoreResult<()> {
        names::put_token(self, hash, last_day, sealed)
    }
    fn token_near(&mut self, hash: &[u8; 32]) -> StoreResult<Option<TokenRow>> {
        names::token_near(self, hash)
    }
    fn renew_token(&mut self, hash: &[u8; 32], sealed: &[u8]) -> StoreResult<()> {
        names::renew_token(self, hash, sealed)
    }
    fn token(&mut self, hash: &[u8; 32]) -> StoreResult<Option<Vec<u8>>> {
        names::token(self, hash)
    }
    fn invite(&mut self, hash: &[u8; 32]) -> StoreResult<Option<Invite>> {
        names::invite(self, hash)
    }
    fn put_invite(&mut self, hash: &[u8; 32], invite: &Invite) -> StoreResult<()> {
        names::put_invite(self, hash, invite)
    }
    fn put_payload(&mut self, name: &BlobName, hour: u32, sealed: &[u8]) -> StoreResult<()> {
        names::put_payload(self, name, hour, sealed)
    }
    fn payload(&mut self, name: &BlobName) -> StoreResult<Option<Vec<u8>>> {
        names::payload(self, name)
    }

    fn directory_records(&mut self, keys: &[Vec<u8>]) -> StoreResult<Vec<Option<Vec<u8>>>> {
        directory::records(self, keys)
    }
    fn directory_range(&mut self, prefix: &[u8]) -> StoreResult<Vec<(Vec<u8>, Vec<u8>)>> {
        directory::range(self, prefix)
    }
    fn put_directory_records(&mut self, records: &[(Vec<u8>, Vec<u8>)]) -> StoreResult<()> {
        directory::put_records(self, records)
    }
    fn newest_root(&mut self) -> StoreResult<Option<RootRow>> {
        directory::newest_root(self)
    }
    fn root(&mut self, epoch: u64) -> StoreResult<Option<RootRow>> {
        directory::root(self, epoch)
    }
    fn put_root(&mut self, root: &RootRow, proof: &[u8]) -> StoreResult<()> {
        directory::put_root(self, root, proof)
    }
    fn root_proof(&mut self, epoch: u64) -> StoreResult<Option<Vec<u8>>> {
        directory::root_proof(self, epoch)
    }
    fn owed(&mut self, account: &AccountId) -> StoreResult<Option<Owed>> {
        directory::owed(self, account)
    }
    fn put_owed(&mut self, account: &AccountId, owed: &Owed) -> StoreResult<()> {
        directory::put_owed(self, account, owed)
    }
    fn owed_last(&mut self) -> StoreResult<(u64, u64)> {
        directory::owed_last(self)
    }
    fn all_owed(&mut self, limit: usize) -> StoreResult<Vec<(AccountId, Owed)>> {
        directory::all_owed(self, limit)
    }
    fn settle_owed(&mut self, account: &AccountId, paid: &Owed) -> StoreResult<()> {
        directory::settle_owed(self, account, paid)
    }

    fn case(&mut self, number: u64) -> StoreResult<Option<CaseRow>> {
        cases::get(self, number)
    }
    fn put_case(&mut self, case: &CaseRow) -> StoreResult<()> {
        cases::put(self, case)
    }
    fn cases_about(&mut self, subject: &[u8; 32], limit: usize) -> StoreResult<Vec<CaseRow>> {
        cases::about(self, subject, limit)
    }
    fn queue(&mut self, state: State, after: Option<QueuePlace>, limit: usize) -> StoreResult<Vec<CaseRow>> {
        cases::queue(self, state, after, limit)
    }
    fn queue_length(&mut self, state: State) -> StoreResult<u64> {
        cases::queue_length(self, state)
    }
    fn report(&mut self, id: &[u8; 32]) -> StoreResult<Option<ReportRow>> {
        cases::report(self, id)
    }
    fn put_report(&mut self, report: &ReportRow) -> StoreResult<()> {
        cases::put_report(self, report)
    }
    fn reports_in(&mut self, case: u64) -> StoreResult<Vec<ReportHead>> {
        cases::reports_in(self, case)
    }
    fn reports_by(&mut self, reporter: &[u8; 32], limit: usize) -> StoreResult<Vec<([u8; 32], u64)>> {
        cases::reports_by(self, reporter, limit)
    }
    fn reported(&mut self, tag: &[u8; 32]) -> StoreResult<bool> {
        cases::reported(self, tag)
    }
    fn put_reported(&mut self, tag: &[u8; 32], day: u32) -> StoreResult<()> {
        cases::put_reported(self, tag, day)
    }
    fn put_statement(&mut self, person: &[u8; 32], day: u32, sealed: &[u8]) -> StoreResult<()> {
        cases::put_statement(self, person, day, sealed)
    }
    fn statements_for(&mut self, person: &[u8; 32]) -> StoreResult<Vec<Vec<u8>>> {
        cases::statements_for(self, person)
    }

    fn staff(&mut self, name: &str) -> StoreResult<Option<StaffRow>> {
        desk::staff(self, name)
    }
    fn staff_by_handle(&mut self, handle: &[u8; 16]) -> StoreResult<Option<StaffRow>> {
        desk::staff_by_handle(self, handle)
    }
    fn all_staff(&mut self) -> StoreResult<Vec<StaffRow>> {
        desk::all_staff(self)
    }
    fn put_staff(&mut self, staff: &StaffRow) -> StoreResult<()> {
        desk::put_staff(self, staff)
    }
    fn desk_invite(&mut self, hash: &[u8; 32]) -> StoreResult<Option<DeskInvite>> {
        desk::invite(self, hash)
    }
    fn desk_invites(&mut self) -> StoreResult<Vec<([u8; 32], DeskInvite)>> {
        desk::invites(self)
    }
    fn put_desk_invite(&mut self, hash: &[u8; 32], invite: &DeskInvite) -> StoreResult<()> {
        desk::put_invite(self, hash, invite)
    }
    fn delete_desk_invite(&mut self, hash: &[u8; 32]) -> StoreResult<()> {
        desk::delete_invite(self, hash)
    }
    fn log_head(&mut self) -> StoreResult<(u64, [u8; 32])> {
        desk::log_head(self)
    }
    fn append_log(&mut self, seq: u64, line: &str, hash: &[u8; 32]) -> StoreResult<()> {
        desk::append_log(self, seq, line, hash)
    }
    fn log_lines(&mut self, from_seq: u64, limit: usize) -> StoreResult<Vec<String>> {
        desk::log_lines(self, from_seq, limit)
    }

    fn policy_changes(&mut self) -> StoreResult<Vec<PolicyRow>> {
        policy::changes(self)
    }
    fn put_policy_change(&mut self, row: &PolicyRow) -> StoreResult<()> {
        policy::put(self, row)
    }

    fn sweep(&mut self, cut: &Cut, limit: usize) -> StoreResult<u64> {
        sweep::sweep(self, cut, limit)
    }
    fn counts(&mut self) -> StoreResult<Counts> {
        sweep::counts(self)
    }
}
