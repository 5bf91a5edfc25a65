//! The side that works as the server does: figures that are moved by decisions, and rows that follow.

use super::{
    super::{Event, Refusal, State, decide, gone_for_good, quota_at},
    Crash, Judge,
    rows::{Kept, Rows},
};

/// A part of a transaction.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// What gives way to it is gone.
    Event(Event),
    /// What gives way to it is held by the promise of that number.
    Promise(Event, usize),
    /// A promise that held this was settled.
    Settled(Vec<Kept>),
    /// A promise that held this was given up.
    GivenUp(Vec<Kept>),
}

pub(super) struct Server<J> {
    pub(super) judge: J,
    pub(super) state: State,
    pub(super) rows: Rows,
    /// Sums of the ledger: used, exempt, reclaimable.
    pub(super) ledger: (i64, i64, i64),
}

impl<J: Judge> Server<J> {
    pub(super) fn new(judge: J, rows: Rows) -> Self {
        Self { judge, state: State::default(), rows, ledger: (0, 0, 0) }
    }

    /// One transaction: change rows, decide, let the oldest go, commit. A crash leaves it as it was.
    pub(super) fn transact(
        &mut self,
        steps: &[Step],
        crash: Crash,
        change: impl FnOnce(&mut Rows),
    ) -> Result<(), Refusal> {
        let mut books = Books { state: self.state, rows: self.rows.clone(), ledger: self.ledger };
        books.state.quota = quota_at(books.rows.plan, &books.rows.terms, books.rows.now);
        change(&mut books.rows);
        for step in steps {
            let (event, promise) = match step {
                Step::Event(event) => (*event, None),
                Step::Promise(event, promise) => (*event, Some(*promise)),
                Step::Settled(held) => {
                    let bytes: Vec<u64> = held.iter().map(|one| one.bytes).collect();
                    let gone = gone_for_good(&books.state, &bytes);
                    books.bring_back(&held[gone..])?;
                    continue;
                }
                Step::GivenUp(held) => {
                    books.bring_back(held)?;
                    continue;
                }
            };
            let outcome = self.judge.judge(&books.state, event)?;
            if crash == Crash::Decided {
                return Ok(());
            }
            books.move_to(outcome.state);
            let mut given = 0;
            while given < outcome.give_way {
                let oldest = books.rows.take_oldest().expect("something kept");
                given += oldest.bytes;
                if let Some(promise) = promise {
                    books.rows.promises[promise].hold([oldest]);
                }
                books.decide(Event::Forget { bytes: oldest.bytes })?;
            }
        }
        if crash == Crash::None {
            (self.state, self.rows, self.ledger) = (books.state, books.rows, books.ledger);
        }
        Ok(())
    }

    /// What the next start puts right.
    pub(super) fn restart(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let mut books = Books { state: self.state, rows, ledger: self.ledger };
        let (stay, go) =
            books.rows.promises.drain(..).partition::<Vec<_>, _>(|promise| promise.is_lasting);
        books.rows.promises = stay;
        for promise in go {
            books.bring_back(&promise.held).expect("nothing stands in the way of it");
        }
        books.state.reserved = books.rows.reserved();
        (self.state, self.rows, self.ledger) = (books.state, books.rows, books.ledger);
    }
}

/// Figures, rows and ledger while a transaction is open.
struct Books {
    state: State,
    rows: Rows,
    ledger: (i64, i64, i64),
}

impl Books {
    fn decide(&mut self, event: Event) -> Result<(), Refusal> {
        let after = decide(&self.state, event)?.state;
        self.move_to(after);
        Ok(())
    }

    fn bring_back(&mut self, held: &[Kept]) -> Result<(), Refusal> {
        for one in held {
            self.decide(Event::Discard { bytes: one.bytes })?;
        }
        self.rows.bring_back(held.iter().copied());
        Ok(())
    }

    fn move_to(&mut self, after: State) {
        let before = self.state;
        self.ledger.0 += after.used as i64 - before.used as i64;
        self.ledger.1 += after.exempt as i64 - before.exempt as i64;
        self.ledger.2 += after.reclaimable as i64 - before.reclaimable as i64;
        self.state = after;
    }
}
