//! The rules against an independent model: random histories of one locker, with crashes in the
//! middle of transactions, judged by plain sums over lists. The same histories catch a judge that
//! looks first and acts later.

mod rows;
mod server;

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

use self::{
    rows::{Promise, Rows},
    server::{Server, Step},
};
use super::{Charge, Event, Gift, Outcome, Refusal, State, Term, decide};
use crate::clock::Millis;

/// Where a transaction is when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    /// It is not.
    None,
    /// Decided, nothing written.
    Decided,
    /// Everything written but the end of the transaction.
    Written,
}

#[derive(Debug, Clone)]
enum Op {
    Reserve {
        bytes: u64,
        is_lasting: bool,
    },
    Extend {
        which: usize,
        bytes: u64,
    },
    Release {
        which: usize,
    },
    /// Two promises become one, as when parts are joined.
    Join {
        which: usize,
        with: usize,
    },
    /// The disk has no room for what promises hold.
    LetHeldGo,
    Publish {
        which: usize,
        size: u64,
        over: Option<usize>,
        is_kept: bool,
        is_exempt: bool,
    },
    Remove {
        which: usize,
        is_kept: bool,
    },
    Restore {
        which: usize,
    },
    Purge {
        which: usize,
    },
    Found {
        size: u64,
    },
    Grant {
        gift: Gift,
        days: Option<Millis>,
    },
    Plan {
        quota: Option<u64>,
    },
    Wait {
        days: Millis,
    },
    Restart,
}

/// A judge of events, right or wrong.
trait Judge {
    fn judge(&mut self, state: &State, event: Event) -> Result<Outcome, Refusal>;
}

struct Right;

impl Judge for Right {
    fn judge(&mut self, state: &State, event: Event) -> Result<Outcome, Refusal> {
        decide(state, event)
    }
}

/// Looks at what was there one event ago, and acts on what is there now: what two uploads do that
/// both look before either takes.
#[derive(Default)]
struct CheckThenAct {
    seen: Option<State>,
}

impl Judge for CheckThenAct {
    fn judge(&mut self, state: &State, event: Event) -> Result<Outcome, Refusal> {
        let seen = self.seen.replace(*state).unwrap_or(*state);
        let Event::Reserve { bytes: 1.. } = event else { return decide(state, event) };
        decide(&seen, event)?;
        let acted = decide(&State { quota: None, ..*state }, event)?.state;
        let acted = State { quota: state.quota, ..acted };
        let give_way = decide(&acted, Event::Keep { bytes: 0 })?.give_way;
        Ok(Outcome { state: acted, give_way })
    }
}

const DAY: Millis = 24 * 3600 * 1000;

/// What rows become.
type Rewrite = Box<dyn Fn(&mut Rows)>;

/// Does one thing on both sides. The model first says whether it may happen.
fn step<J: Judge>(
    server: &mut Server<J>,
    model: &mut Rows,
    op: &Op,
    crash: Crash,
) -> Result<(), String> {
    let before = model.clone();
    // What the model does, what the server is told, what the server's rows become.
    let mut is_allowed = true;
    let mut adds = false;
    // The promise that holds what gives way; what a settled one held; what is put away at the end.
    let (mut holder, mut settled, mut replaced) = (None, None, None);
    let (steps, rewrite): (Vec<Step>, Rewrite) = match op.clone() {
        Op::Reserve { bytes, is_lasting } => {
            is_allowed = model.fits(model.used() + model.reserved(), bytes);
            adds = 0 < bytes;
            let which = model.promises.len();
            holder = Some(which);
            let promise = move |rows: &mut Rows| {
                rows.promises.push(Promise { bytes, is_lasting, held: Vec::new() });
            };
            (vec![Step::Promise(Event::Reserve { bytes }, which)], Box::new(promise))
        }
        Op::Extend { which, bytes } if which < model.promises.len() => {
            is_allowed = model.fits(model.used() + model.reserved(), bytes);
            adds = 0 < bytes;
            holder = Some(which);
            let extend = move |rows: &mut Rows| rows.promises[which].bytes += bytes;
            (vec![Step::Promise(Event::Reserve { bytes }, which)], Box::new(extend))
        }
        Op::Release { which } if which < model.promises.len() => {
            let Promise { bytes, held, .. } = model.promises[which].clone();
            let release = move |rows: &mut Rows| {
                rows.promises.remove(which);
            };
            model.bring_back(held.clone());
            let steps = vec![Step::Event(Event::Release { bytes }), Step::GivenUp(held)];
            (steps, Box::new(release))
        }
        Op::Join { which, with } if which < with && with < model.promises.len() => {
            let join = move |rows: &mut Rows| {
                let gone = rows.promises.remove(with);
                rows.promises[which].bytes += gone.bytes;
                rows.promises[which].hold(gone.held);
            };
            (Vec::new(), Box::new(join))
        }
        Op::LetHeldGo => {
            let let_go = |rows: &mut Rows| {
                for promise in &mut rows.promises {
                    promise.held.clear();
                }
            };
            (Vec::new(), Box::new(let_go))
        }
        Op::Publish { which, size, over, is_kept, is_exempt } if which < model.promises.len() => {
            let Promise { bytes: promised, held, .. } = model.promises[which].clone();
            let comes = if is_exempt { Charge::exempt(size) } else { Charge::counted(size) };
            let over = over.filter(|over| *over < model.files.len());
            let goes = over.map(|over| model.files[over]).unwrap_or_default();
            let needed = comes.counted.saturating_sub(goes.counted);
            let others = model.used() + model.reserved();
            is_allowed = model.fits(others, needed.saturating_sub(promised))
                && model.fits(model.used(), needed);
            let keeps = is_kept && over.is_some();
            adds = 0 < needed;
            let mut steps = vec![Step::Event(Event::Settle { promised, comes, goes })];
            steps.push(Step::Settled(held.clone()));
            if keeps {
                steps.push(Step::Event(Event::Keep { bytes: goes.counted }));
                replaced = Some(goes.counted);
            }
            settled = Some(held);
            let publish = move |rows: &mut Rows| {
                rows.promises.remove(which);
                match over {
                    Some(over) => rows.files[over] = comes,
                    None => rows.files.push(comes),
                }
            };
            (steps, Box::new(publish))
        }
        Op::Remove { which, is_kept } if which < model.files.len() => {
            let goes = model.files[which];
            let mut steps = vec![Step::Event(Event::Recount { comes: Charge::default(), goes })];
            if is_kept {
                steps.push(Step::Event(Event::Discard { bytes: goes.counted }));
            }
            let remove = move |rows: &mut Rows| {
                let file = rows.files.remove(which);
                if is_kept {
                    rows.put_away(file.counted);
                }
            };
            (steps, Box::new(remove))
        }
        Op::Restore { which } if which < model.kept.len() => {
            let (bytes, goes) = (model.kept[which].bytes, Charge::default());
            let comes = Charge::counted(bytes);
            let restore = move |rows: &mut Rows| {
                rows.kept.remove(which);
                rows.files.push(comes);
            };
            let events = [Event::Forget { bytes }, Event::Recount { comes, goes }];
            (events.map(Step::Event).into(), Box::new(restore))
        }
        Op::Purge { which } if which < model.kept.len() => {
            let bytes = model.kept[which].bytes;
            let purge = move |rows: &mut Rows| {
                rows.kept.remove(which);
            };
            (vec![Step::Event(Event::Forget { bytes })], Box::new(purge))
        }
        Op::Found { size } => {
            let comes = Charge::counted(size);
            let found = move |rows: &mut Rows| rows.files.push(comes);
            let recount = Event::Recount { comes, goes: Charge::default() };
            (vec![Step::Event(recount)], Box::new(found))
        }
        Op::Grant { gift, days } => {
            let (starts, ends) = (model.now, days.map(|days| model.now + days * DAY));
            let term = Term { gift, starts, ends };
            (Vec::new(), Box::new(move |rows| rows.terms.push(term)))
        }
        Op::Plan { quota } => (Vec::new(), Box::new(move |rows| rows.plan = quota)),
        Op::Wait { days } => (Vec::new(), Box::new(move |rows| rows.now += days * DAY)),
        Op::Restart => {
            server.restart();
            model.restart();
            return compare(server, model);
        }
        // About something that is not there.
        _ => return Ok(()),
    };
    if is_allowed {
        rewrite(model);
        let gone = if adds { model.let_go() } else { Vec::new() };
        if let Some(holder) = holder {
            model.promises[holder].hold(gone);
        }
        if let Some(held) = settled {
            model.settle_held(held);
        }
        if let Some(bytes) = replaced {
            model.put_away(bytes);
            model.let_go();
        }
    }
    // Whoever waits for the clock cannot crash in it.
    let crash = if steps.is_empty() { Crash::None } else { crash };
    let answer = server.transact(&steps, crash, |rows| {
        rewrite(rows);
        if let Some(bytes) = replaced {
            rows.put_away(bytes);
        }
    });
    if answer.is_ok() != is_allowed {
        return Err(format!("{op:?}: allowed is {is_allowed}, the answer was {answer:?}"));
    }
    if crash != Crash::None {
        *model = before;
        server.restart();
        model.restart();
    }
    let sum = server.state.used + server.state.reserved + server.state.reclaimable;
    if answer.is_ok() && crash == Crash::None && matches!(op, Op::Reserve { bytes: 1.., .. }) {
        let quota = model.quota();
        if quota < sum {
            return Err(format!("{op:?}: {sum} of {quota} after a reservation"));
        }
    }
    compare(server, model)
}

/// Figures against sums.
fn compare<J>(server: &Server<J>, model: &Rows) -> Result<(), String> {
    if server.rows != *model {
        return Err(format!("rows differ: {:?} and {model:?}", server.rows));
    }
    let State { used, reserved, reclaimable, exempt, .. } = server.state;
    let found = (used, reserved, reclaimable, exempt);
    let kept = model.reclaimable();
    let free = model.files.iter().map(|file| file.exempt).sum();
    let right = (model.used(), model.reserved(), kept, free);
    if found != right {
        return Err(format!("figures {found:?}, sums {right:?}"));
    }
    let ledger = server.ledger;
    if ledger != (used as i64, exempt as i64, reclaimable as i64) {
        return Err(format!("the ledger adds up to {ledger:?}, figures are {found:?}"));
    }
    Ok(())
}

fn run<J: Judge>(judge: J, history: &[(Op, Crash)]) -> Result<(), String> {
    let mut model = Rows { plan: Some(1000), ..Rows::default() };
    let mut server = Server::new(judge, model.clone());
    history.iter().try_for_each(|(op, crash)| step(&mut server, &mut model, op, *crash))
}

fn op() -> impl Strategy<Value = Op> {
    let bytes = || prop_oneof![4 => 0..400_u64, 1 => 0..2000_u64];
    let which = || 0..6_usize;
    prop_oneof![
        6 => (bytes(), any::<bool>())
            .prop_map(|(bytes, is_lasting)| Op::Reserve { bytes, is_lasting }),
        3 => (which(), bytes()).prop_map(|(which, bytes)| Op::Extend { which, bytes }),
        2 => which().prop_map(|which| Op::Release { which }),
        1 => (which(), which()).prop_map(|(which, with)| Op::Join { which, with }),
        1 => Just(Op::LetHeldGo),
        8 => (which(), bytes(), proptest::option::of(which()), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(which, size, over, is_kept, is_exempt)| Op::Publish {
                which, size, over, is_kept, is_exempt
            }),
        3 => (which(), any::<bool>()).prop_map(|(which, is_kept)| Op::Remove { which, is_kept }),
        2 => which().prop_map(|which| Op::Restore { which }),
        1 => which().prop_map(|which| Op::Purge { which }),
        1 => bytes().prop_map(|size| Op::Found { size }),
        2 => (gift(), proptest::option::of(1..400_i64))
            .prop_map(|(gift, days)| Op::Grant { gift, days }),
        1 => proptest::option::weighted(0.9, 0..2000_u64).prop_map(|quota| Op::Plan { quota }),
        2 => (1..400_i64).prop_map(|days| Op::Wait { days }),
        1 => Just(Op::Restart),
    ]
}

fn gift() -> impl Strategy<Value = Gift> {
    prop_oneof![
        proptest::option::weighted(0.9, 0..3000_u64).prop_map(Gift::Tier),
        (0..1000_u64).prop_map(Gift::Bytes),
    ]
}

fn crash() -> impl Strategy<Value = Crash> {
    prop_oneof![8 => Just(Crash::None), 1 => Just(Crash::Decided), 1 => Just(Crash::Written)]
}

/// So many histories, or a hundred times as many where `make soak` runs.
fn histories(times: u32) -> Config {
    let soak = if std::env::var_os("SLOW_TESTS").is_some() { 100 } else { 1 };
    Config { cases: times * soak, failure_persistence: None, ..Config::default() }
}

#[test]
fn ten_thousand_histories_agree_with_plain_sums() {
    let mut runner = TestRunner::new(histories(10_000));
    let history = proptest::collection::vec((op(), crash()), 1..40);
    let result = runner.run(&history, |history| run(Right, &history).map_err(TestCaseError::fail));
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn the_same_histories_catch_check_then_act() {
    let config = Config { max_shrink_iters: 0, ..histories(1_000) };
    let mut runner = TestRunner::new(config);
    let history = proptest::collection::vec((op(), Just(Crash::None)), 1..40);
    let result = runner.run(&history, |history| {
        run(CheckThenAct::default(), &history).map_err(TestCaseError::fail)
    });
    let caught = result.expect_err("a judge that looks first and acts later went through");
    // It gives what is gone already, or refuses what has come back meanwhile.
    assert!(caught.to_string().contains("allowed is"), "{caught}");
}
