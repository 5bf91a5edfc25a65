//! The request that counts, and what its answer promises.

use super::{ways::is_the_disks, *};

impl Hand {
    pub(in super::super) async fn perform(&mut self, act: Act, step: Step) -> bool {
        self.pending = Some(step.after);
        let Some(answer) = self.api.ask(step.request).await else { return false };
        // A disk without power makes these; then nothing was promised.
        if 500 <= answer.status {
            return false;
        }
        // It was the worker that was killed, and not the daemon: the archive could not be read.
        if act == Act::Zip && answer.json()["type"] == "unsupported_archive" {
            self.pending = None;
            return false;
        }
        assert!(answer.is_success(), "{act:?}: {} {}", answer.status, answer.text());
        // An archive may be taken in part: the answer tells of each file what became of it.
        let told = answer.json();
        let file = &told["items"][0];
        if act == Act::Zip && answer.status != 201 && file["hash"].is_null() {
            // It could not be written, or what was received of it not read.
            let problem = file["problem"]["type"].as_str();
            assert!(matches!(problem, None | Some("internal" | "unsupported_archive")), "{told}");
            return false;
        }
        let before = self.world.clone();
        let import = match act {
            Act::TusZip => Some(answer.header("tunelocker-import")),
            Act::Import | Act::ImportZip | Act::ImportList => {
                answer.json()["id"].as_str().map(str::to_owned)
            }
            _ => None,
        };
        if act == Act::Delivery {
            if is_the_disks(file) {
                return false;
            }
            assert_eq!(file["state"], "stored", "{told}");
            self.ordered = None;
        }
        if matches!(act, Act::Claim | Act::Refer) {
            let claimed = &answer.json()["claims"][0];
            match claimed["state"].as_str() {
                Some("claimed") => {
                    self.pointed += usize::from(claimed["origin"] == "reference");
                }
                // A head without its body, or a disk that said no: to that place, or of the bytes.
                None | Some("need") => return false,
                Some("refused") if claimed["status"].as_u64().is_some_and(|it| 500 <= it) => {
                    return false;
                }
                Some(other) => panic!("{other}: {claimed}"),
            }
        }
        self.world = self.pending.take().unwrap();
        if matches!(act, Act::Put | Act::Dav) {
            self.fresh = self.plain().pop();
        } else {
            self.fresh = None;
        }
        if matches!(act, Act::Tus | Act::TusDeferred | Act::ReplaceByTus) {
            self.begun.clear();
        }
        if act == Act::TusJoin {
            self.joining = None;
        }
        if act == Act::DeliveryByUrl {
            // It was promised; who dies before it is done goes on with it.
            let (order, ..) = self.ordered.clone().expect("an order");
            let shop = self.shop.clone().expect("a shop");
            let told = shop.until_delivered(&self.api, &order).await;
            if self.api.is_cut() || told.as_ref().is_some_and(is_the_disks) {
                // The disk may have ended it; the shop sends it again.
                self.pending = Some(std::mem::replace(&mut self.world, before));
                return false;
            }
            let Some(told) = told else { return false };
            assert_eq!(told["items"][0]["state"], "stored", "{told}");
            self.ordered = None;
        }
        if matches!(act, Act::RemoveUser | Act::RemoveUserAndFiles) {
            return self.until_gone().await;
        }
        if act == Act::TakeDown {
            return self.until_taken_down().await;
        }
        if act == Act::Recall {
            return self.api.until_real().await;
        }
        match import {
            // It was promised; whether it is done already, or at the next start, is judged then.
            Some(import) => match self.is_over(&import).await {
                Ended::Done => true,
                Ended::Unknown => {
                    self.importing = Some((import, before));
                    false
                }
                Ended::Unreadable => {
                    self.world = before;
                    false
                }
                Ended::Failed => {
                    self.pending = Some(std::mem::replace(&mut self.world, before));
                    false
                }
            },
            None => true,
        }
    }
}
