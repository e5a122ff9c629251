use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
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
    /// Each with the only product that it orders, if there is just one.
    customers: BTreeMap<String, Option<String>>,
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

    pub(crate) fn customer(&self, customer_id: &str, only_product: Option<&str>) {
        self.entries().customers.insert(customer_id.to_owned(), only_product.map(str::to_owned));
    }

    pub(crate) fn customers(&self) -> Vec<String> {
        self.entries().customers.keys().cloned().collect()
    }

    /// The customers that may have ordered a product.
    pub(crate) fn customers_of(&self, product_id: &str) -> Vec<String> {
        let entries = self.entries();
        let may_have = |(_, only): &(&String, &Option<String>)| only.as_deref().is_none_or(|only| only == product_id);
        entries.customers.iter().filter(may_have).map(|(customer_id, _)| customer_id.clone()).collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
