//! Transactions and plain writes: conflicts, budgets, limits, torn commits.

use local::dynamo::Answer;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::action::{Action, Item, Place, size, write_units};
use super::fault::Fault;
use super::past;
use super::server::{Call, Server, refusal, throttled};

/// DynamoDB's limit of the items of one transaction together.
const TRANSACTION_BYTES: usize = 4 * 1024 * 1024;

impl Server {
    /// TransactWriteItems.
    pub(super) async fn transact(
        &self,
        call: &mut Call,
        request: &Value,
        fault: Option<Fault>,
    ) -> Answer {
        let actions = Action::all(request);
        self.permit(&actions);
        let (latency, torn) = {
            let state = self.state();
            let latency = call.chance.within(&state.settings.transaction);
            (latency, state.settings.torn)
        };
        let end = Instant::now() + latency;
        let token = request["ClientRequestToken"].as_str();
        let seen = token.and_then(|token| self.state().tokens.get(token).copied());
        let refused = match seen {
            // The emulator remembers the answer, and compares the requests.
            Some(true) => Some(
                self.embedded
                    .answer("TransactWriteItems", &request.to_string()),
            ),
            Some(false) => Some(refusal(
                "TransactionInProgressException",
                "the transaction with the given request token is already in progress",
                400,
            )),
            None => self.refuse(call, request, &actions, fault),
        };
        if let Some(answer) = refused {
            sleep_until(end).await;
            return answer;
        }
        {
            let mut state = self.state();
            for action in &actions {
                state.held.insert(action.place.clone(), call.number());
            }
            if let Some(token) = token {
                state.tokens.insert(token.to_owned(), false);
            }
        }
        self.charge_ahead(&actions);
        let thousandths = u32::try_from(call.chance.below(1_000)).unwrap_or(0);
        sleep(latency * thousandths / 1_000).await;
        let answer = self.apply(call, request, &actions, end, torn).await;
        sleep_until(end).await;
        let mut state = self.state();
        for action in &actions {
            state.held.remove(&action.place);
        }
        if let Some(token) = token {
            if answer.status == 200 {
                state.tokens.insert(token.to_owned(), true);
            } else {
                state.tokens.remove(token);
            }
        }
        answer
    }

    /// Why a transaction does not even begin: a fault, no throughput, a key
    /// held by another one.
    fn refuse(
        &self,
        call: &mut Call,
        request: &Value,
        actions: &[Action],
        fault: Option<Fault>,
    ) -> Option<Answer> {
        let victim = call.chance.below(actions.len() as u64);
        let mut codes = vec!["None"; actions.len()];
        for (index, (action, code)) in actions.iter().zip(&mut codes).enumerate() {
            let chosen = index as u64 == victim;
            let mut state = self.state();
            if chosen && fault == Some(Fault::Conflict) {
                state.report.faults += 1;
                *code = "TransactionConflict";
            } else if state.held.contains_key(&action.place) {
                *code = "TransactionConflict";
            } else if chosen && fault == Some(Fault::Throttle) {
                state.report.faults += 1;
                *code = "ThrottlingError";
            } else if let Some(budget) = state.settings.budget
                && !state.writes.admits(&action.place.pk, budget.write)
            {
                *code = "ThrottlingError";
            }
        }
        if codes.iter().all(|code| *code == "None") {
            return None;
        }
        let mut reasons: Vec<Value> = codes.iter().map(|code| reason(code)).collect();
        let conflict = codes.contains(&"TransactionConflict");
        {
            let mut state = self.state();
            state.report.conflicts += u64::from(conflict);
            state.report.throttles += u64::from(codes.contains(&"ThrottlingError"));
        }
        if conflict {
            self.charge(actions, &self.images(actions), &[], 0.0);
            if call.chance.hits(500) {
                self.judge_free(request, actions, &mut reasons);
            }
        }
        Some(cancelled(&reasons))
    }

    /// Adds the conditions that failed on the keys that were free.
    fn judge_free(&self, request: &Value, actions: &[Action], reasons: &mut [Value]) {
        let Some(list) = request["TransactItems"].as_array() else {
            return;
        };
        let free: Vec<usize> = reasons
            .iter()
            .enumerate()
            .filter_map(|(index, reason)| (reason["Code"] == "None").then_some(index))
            .collect();
        let Some(table) = actions.first().map(|action| action.place.table.clone()) else {
            return;
        };
        let subset: Vec<&Value> = free.iter().filter_map(|index| list.get(*index)).collect();
        if subset.is_empty() {
            return;
        }
        let images = self.images(actions);
        let scratch = past::scratch(&table, images.iter().flatten());
        let answer = scratch.answer(
            "TransactWriteItems",
            &json!({"TransactItems": subset}).to_string(),
        );
        let mut reply: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let judged = reply["CancellationReasons"].as_array_mut();
        for (judged, index) in judged.into_iter().flatten().zip(free) {
            if let Some(reason) = reasons.get_mut(index) {
                *reason = judged.take();
            }
        }
    }

    /// Applies the transaction at this instant, and shows part of it later.
    async fn apply(
        &self,
        call: &mut Call,
        request: &Value,
        actions: &[Action],
        end: Instant,
        torn: bool,
    ) -> Answer {
        let body = request.to_string();
        let before = self.images(actions);
        if self.too_large(&body, actions, &before) {
            return refusal(
                "ValidationException",
                "the items of the transaction exceed 4 MB, the larger of the images before and \
                 after counted",
                400,
            );
        }
        let answer = self.embedded.answer("TransactWriteItems", &body);
        if answer.status != 200 {
            self.state().report.failed_conditions += u64::from(answer.body.contains("Conditional"));
            self.charge(actions, &before, &[], 2.0);
            return answer;
        }
        let after = self.images(actions);
        self.charge(actions, &before, &after, 2.0);
        {
            let mut state = self.state();
            state.report.transactions += 1;
            state.report.actions += actions.len() as u64;
        }
        let mut late = Vec::new();
        for ((action, before), after) in actions.iter().zip(&before).zip(&after) {
            if !action.writes || before == after {
                continue;
            }
            self.remember(&action.place, before.clone());
            if torn && call.chance.hits(500) {
                let left = end.saturating_duration_since(Instant::now());
                let thousandths = u32::try_from(call.chance.below(1_000)).unwrap_or(0);
                past::restore(&self.embedded, &action.place, before.as_ref());
                late.push((
                    Instant::now() + left * thousandths / 1_000,
                    &action.place,
                    after,
                ));
            }
        }
        // The keys are held until the end, so no other write can come between.
        late.sort_by(|(a, place_a, _), (b, place_b, _)| (a, place_a).cmp(&(b, place_b)));
        for (at, place, after) in late {
            sleep_until(at).await;
            past::restore(&self.embedded, place, after.as_ref());
        }
        answer
    }

    /// PutItem, UpdateItem or DeleteItem.
    pub(super) async fn write(
        &self,
        call: &mut Call,
        operation: &str,
        request: &Value,
        fault: Option<Fault>,
    ) -> Answer {
        let action = Action::plain(operation, request);
        self.permit(std::slice::from_ref(&action));
        let latency = self.latency(&mut call.chance);
        sleep(latency / 2).await;
        let answer = self.write_now(operation, request, &action, fault);
        sleep(latency / 2).await;
        answer
    }

    fn write_now(
        &self,
        operation: &str,
        request: &Value,
        action: &Action,
        fault: Option<Fault>,
    ) -> Answer {
        {
            let mut state = self.state();
            let struck = fault == Some(Fault::Conflict);
            state.report.faults += u64::from(struck);
            if state.held.contains_key(&action.place) || struck {
                state.report.conflicts += 1;
                let message = "Transaction is ongoing for the item";
                return refusal("TransactionConflictException", message, 400);
            }
            let spent = state
                .settings
                .budget
                .is_some_and(|budget| !state.writes.admits(&action.place.pk, budget.write));
            let struck = fault == Some(Fault::Throttle);
            state.report.faults += u64::from(struck);
            if spent || struck {
                state.report.throttles += 1;
                return throttled();
            }
        }
        let before = past::image(&self.embedded, &action.place);
        let answer = self.embedded.answer(operation, &request.to_string());
        let after = past::image(&self.embedded, &action.place);
        let units = write_units(before.as_ref(), after.as_ref());
        self.take_write(&action.place.pk, units, 0.0);
        if answer.status == 200 {
            self.remember(&action.place, before);
        } else {
            self.state().report.failed_conditions += u64::from(answer.body.contains("Conditional"));
        }
        answer
    }

    fn permit(&self, actions: &[Action]) {
        let mut state = self.state();
        state
            .report
            .iam
            .extend(actions.iter().map(|action| action.iam.to_owned()));
    }

    fn images(&self, actions: &[Action]) -> Vec<Option<Item>> {
        actions
            .iter()
            .map(|action| past::image(&self.embedded, &action.place))
            .collect()
    }

    /// Two units per action, the least that it can cost, before its images are
    /// known: or any number of transactions would begin at one instant.
    fn charge_ahead(&self, actions: &[Action]) {
        let mut state = self.state();
        let Some(budget) = state.settings.budget else {
            return;
        };
        for action in actions {
            state.writes.take(&action.place.pk, budget.write, 2.0);
        }
    }

    /// Takes two units per KB of the larger image of each item, less what was
    /// taken ahead.
    fn charge(
        &self,
        actions: &[Action],
        before: &[Option<Item>],
        after: &[Option<Item>],
        ahead: f64,
    ) {
        for (index, action) in actions.iter().enumerate() {
            let image = |images: &[Option<Item>]| images.get(index).cloned().flatten();
            let units = write_units(image(before).as_ref(), image(after).as_ref());
            self.take_write(&action.place.pk, 2.0 * units, ahead);
        }
    }

    fn take_write(&self, pk: &str, units: f64, ahead: f64) {
        let mut state = self.state();
        state.report.write_units += units;
        if let Some(budget) = state.settings.budget {
            state.writes.take(pk, budget.write, units - ahead);
        }
    }

    fn remember(&self, place: &Place, before: Option<Item>) {
        let mut state = self.state();
        let now = Instant::now();
        let lag = state.settings.lag;
        while state
            .journal
            .front()
            .is_some_and(|(at, ..)| now - *at > lag)
        {
            state.journal.pop_front();
        }
        state.journal.push_back((now, place.clone(), before));
    }

    fn too_large(&self, body: &str, actions: &[Action], before: &[Option<Item>]) -> bool {
        let stored = |image: &Option<Item>| image.as_ref().map_or(0, size);
        let at_most: usize = before.iter().map(stored).sum::<usize>()
            + actions.iter().map(|action| action.weight).sum::<usize>();
        let Some(first) = actions.first() else {
            return false;
        };
        if at_most <= TRANSACTION_BYTES {
            return false;
        }
        // Only a trial tells what the items would become.
        let scratch = past::scratch(&first.place.table, before.iter().flatten());
        scratch.answer("TransactWriteItems", body);
        let larger = |(action, before): (&Action, &Option<Item>)| {
            stored(before).max(stored(&past::image(&scratch, &action.place)))
        };
        actions.iter().zip(before).map(larger).sum::<usize>() > TRANSACTION_BYTES
    }
}

fn reason(code: &str) -> Value {
    match code {
        "TransactionConflict" => {
            json!({"Code": code, "Message": "Transaction is ongoing for the item"})
        }
        "ThrottlingError" => {
            json!({"Code": code, "Message": "Throughput exceeds the current capacity of your table"})
        }
        _ => json!({"Code": code}),
    }
}

fn cancelled(reasons: &[Value]) -> Answer {
    let codes: Vec<&str> = reasons
        .iter()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    let codes = codes.join(", ");
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        ),
        "CancellationReasons": reasons,
    });
    Answer {
        status: 400,
        body: body.to_string(),
    }
}
