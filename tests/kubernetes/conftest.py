"""Each overlay, rendered once."""

import functools
import shutil

import pytest
from manifests import copied, render


@pytest.fixture(scope="session")
def renderings(tmp_path_factory):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("THE RENDERED KUBERNETES FILES ARE NOT TESTED: there is no kubectl")
    return functools.cache(lambda overlay: render(kubectl, tmp_path_factory.mktemp(overlay), overlay))


@pytest.fixture(params=["dev", "prod"])
def rendered(request, renderings):
    return renderings(request.param)


@pytest.fixture
def dev(renderings):
    return renderings("dev")


@pytest.fixture
def prod(renderings):
    return renderings("prod")


@pytest.fixture
def kubernetes(tmp_path):
    """A copy of the files, for somebody to provision."""
    return copied(tmp_path)
