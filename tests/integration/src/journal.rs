use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::Answer;

/// Number of exchanges to remember; older ones are dropped.
const KEPT: usize = 60;

/// A test's actions, for its bundle if it fails.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    exchanges: VecDeque<Value>,
    products: BTreeSet<String>,
    customers: BTreeSet<String>,
}

impl Journal {
    pub(crate) fn exchange(&self, request: &str, answer: &Result<Answer, String>) {
        let came = match answer {
            Ok(answer) => json!({ "status": answer.status, "headers": answer.headers, "body": answer.body }),
            Err(error) => json!({ "error": error }),
        };
        let at = jiff::Timestamp::now().to_string();
        let mut entries = self.entries();
        if entries.exchanges.len() == KEPT {
            entries.exchanges.pop_front();
        }
        entries.exchanges.push_back(json!({ "at": at, "request": request, "answer": came }));
    }

    pub(crate) fn product(&self, product_id: &str) {
        self.entries().products.insert(product_id.to_owned());
    }

    pub(crate) fn exchanges(&self) -> Vec<Value> {
        self.entries().exchanges.iter().cloned().collect()
    }

    pub(crate) fn products(&self) -> Vec<String> {
        self.entries().products.iter().cloned().collect()
    }

    pub(crate) fn customer(&self, customer_id: &str) {
        self.entries().customers.insert(customer_id.to_owned());
    }

    pub(crate) fn customers(&self) -> Vec<String> {
        self.entries().customers.iter().cloned().collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
