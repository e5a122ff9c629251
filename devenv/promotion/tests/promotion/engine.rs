//! An engine that has one image and can save it.

use std::collections::BTreeMap;
use std::sync::Arc;

use devenv_containers::engine::{
    About, BuildOrder, ContainerEngine, ContainerEngines, ContainerState, ContainerSummary, EngineAbout, HostError,
    Image, Labelled, LogLine, LogQuery, NewContainer, NoHost,
};
use devenv_containers::oci::OciImage;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

const ELSEWHERE: &str = "a promotion asks its engine for images only";

#[derive(Debug, Clone)]
pub(crate) struct FakeEngine {
    about: EngineAbout,
    /// The only one; every name is its name.
    image: OciImage,
}

impl FakeEngine {
    pub(crate) fn new(image: OciImage) -> Self {
        let host =
            About { name: "engine in memory".to_owned(), address: "memory".to_owned(), chosen_by: "a test".to_owned() };
        let about = EngineAbout { host, platform: "linux/amd64".to_owned() };
        Self { about, image }
    }
}

impl ContainerEngines for FakeEngine {
    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn ContainerEngine>, NoHost>> {
        async { Ok(Arc::new(self.clone()) as Arc<dyn ContainerEngine>) }.boxed()
    }
}

type Done<'a, T> = BoxFuture<'a, Result<T, HostError>>;

impl ContainerEngine for FakeEngine {
    fn about(&self) -> &EngineAbout {
        &self.about
    }

    fn image<'a>(&'a self, _: &'a str) -> Done<'a, Option<Image>> {
        let platform = self.about.platform.clone();
        async { Ok(Some(Image { id: self.image.config_digest(), labels: BTreeMap::new(), platform, size: 1 })) }.boxed()
    }

    fn save<'a>(&'a self, _: &'a str) -> Done<'a, Vec<u8>> {
        async { Ok(self.image.archive(None).expect("memory is writable")) }.boxed()
    }

    fn tag<'a>(&'a self, _: &'a str, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn remove_image<'a>(&'a self, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn containers(&self) -> Done<'_, Vec<ContainerSummary>> {
        unimplemented!("{ELSEWHERE}")
    }

    fn inspect<'a>(&'a self, _: &'a str) -> Done<'a, Option<ContainerState>> {
        unimplemented!("{ELSEWHERE}")
    }

    fn create<'a>(&'a self, _: &'a NewContainer) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn start<'a>(&'a self, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn stop<'a>(&'a self, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn kill<'a>(&'a self, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn pause<'a>(&'a self, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn unpause<'a>(&'a self, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn remove<'a>(&'a self, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn log(&self, _: &str, _: &LogQuery) -> BoxStream<'static, Result<LogLine, HostError>> {
        unimplemented!("{ELSEWHERE}")
    }

    fn load(&self, _: Vec<u8>) -> Done<'_, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn pull<'a>(&'a self, _: &'a str, _: &'a (dyn Fn(String) + Send + Sync)) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn unnamed_images<'a>(&'a self, _: &'a str) -> Done<'a, Vec<String>> {
        unimplemented!("{ELSEWHERE}")
    }

    fn image_names<'a>(&'a self, _: &'a str) -> Done<'a, Vec<String>> {
        unimplemented!("{ELSEWHERE}")
    }

    fn build<'a>(&'a self, _: &'a BuildOrder, _: Vec<u8>, _: &'a (dyn Fn(String) + Send + Sync)) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn files<'a>(&'a self, _: &'a str) -> Done<'a, Vec<u8>> {
        unimplemented!("{ELSEWHERE}")
    }

    fn ensure_network<'a>(&'a self, _: &'a str, _: &'a BTreeMap<String, String>) -> Done<'a, String> {
        unimplemented!("{ELSEWHERE}")
    }

    fn networks<'a>(&'a self, _: &'a str) -> Done<'a, Vec<Labelled>> {
        unimplemented!("{ELSEWHERE}")
    }

    fn remove_network<'a>(&'a self, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }

    fn volumes<'a>(&'a self, _: &'a str) -> Done<'a, Vec<Labelled>> {
        unimplemented!("{ELSEWHERE}")
    }

    fn remove_volume<'a>(&'a self, _: &'a str) -> Done<'a, ()> {
        unimplemented!("{ELSEWHERE}")
    }
}
