"""Several replicas: the compose profile `scale` and the manifest for Kubernetes fit the image and its settings."""

import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from runware_mock.settings import ENV_PREFIX, Settings
from tests import plain
from tests.process.test_packaging import compose, the
from tests.running import mock_process

ROOT = Path(__file__).parents[2]
NGINX_CONF = ROOT / "deploy" / "nginx.conf"
PORT = 8080


def scaled() -> dict[str, Any]:
    return {name: service for name, service in compose()["services"].items() if service.get("profiles") == ["scale"]}


def manifest() -> dict[str, dict[str, Any]]:
    """Return what is to be made in a cluster, by its kind."""
    return {one["kind"]: one for one in yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text())}


def pod() -> dict[str, Any]:
    found: dict[str, Any] = manifest()["Deployment"]["spec"]["template"]["spec"]
    return found


def settings_in(environment: dict[str, str]) -> dict[str, str]:
    """Return the settings that an environment makes; it must name nothing else of ours."""
    return {
        name.removeprefix(ENV_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENV_PREFIX)
    }


def test_without_the_profile_the_compose_file_starts_one_server() -> None:
    assert [name for name, service in compose()["services"].items() if "profiles" not in service] == ["runware-mock"]
    assert scaled().keys() == {"proxy", "replica", "database", "objects", "bucket"}


def test_three_replicas_share_a_database_and_an_object_storage_that_are_ready_before_them() -> None:
    replica = scaled()["replica"]
    assert replica["deploy"]["replicas"] == 3
    assert replica["image"] == compose()["services"]["runware-mock"]["image"]
    environment = replica["environment"]
    assert re.search(r"@database/mock$", environment["RUNWARE_MOCK_DATABASE_URL"])
    assert environment["AWS_ENDPOINT_URL"] == "http://objects:9000"
    bucket = environment["RUNWARE_MOCK_CONTENT_URL"].split("/")[2]
    assert scaled()["bucket"]["entrypoint"] == ["mc", "mb", "--ignore-existing", f"objects/{bucket}"]
    assert {name: needed["condition"] for name, needed in replica["depends_on"].items()} == {
        "database": "service_healthy",
        "bucket": "service_completed_successfully",
    }
    passwords = [environment["RUNWARE_MOCK_DATABASE_URL"], scaled()["database"]["environment"]["POSTGRES_PASSWORD"]]
    assert all("${POSTGRES_PASSWORD:-mock-password}" in one for one in passwords)
    keys = (environment["AWS_SECRET_ACCESS_KEY"], scaled()["objects"]["environment"]["MINIO_ROOT_PASSWORD"])
    assert set(keys) == {"${MINIO_PASSWORD:-mock-password}"}
    assert environment["AWS_ACCESS_KEY_ID"] == scaled()["objects"]["environment"]["MINIO_ROOT_USER"]


def test_only_the_proxy_is_reached_and_only_from_this_machine() -> None:
    assert [name for name, service in scaled().items() if "ports" in service] == ["proxy"]
    (port,) = scaled()["proxy"]["ports"]
    assert re.fullmatch(rf"127\.0\.0\.1:\d+:{PORT}", port)
    assert not {port} & set(compose()["services"]["runware-mock"]["ports"])
    assert scaled()["proxy"]["volumes"] == ["./deploy/nginx.conf:/etc/nginx/nginx.conf:ro"]
    assert f"listen {PORT};" in NGINX_CONF.read_text()
    assert f"set $mock replica:{the('EXPOSE')};" in NGINX_CONF.read_text()


def test_images_are_of_one_version_and_of_no_place_and_volumes_are_declared() -> None:
    for name, service in scaled().items():
        if name != "replica":
            assert re.fullmatch(r"[a-z]+(/[a-z]+)?:[\w.-]*\d[\w.-]*", service["image"]), service["image"]
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose()["volumes"] or (ROOT / source).is_file()


def test_what_the_replicas_are_set_to_are_settings() -> None:
    environment = {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for name, value in replica_environment().items()}
    made = Settings(**{name: value for name, value in settings_in(environment).items() if value})
    assert made.database_url == "postgresql+psycopg://mock:mock-password@database/mock"
    assert made.content_url == "s3://pictures/mock"


def replica_environment() -> dict[str, str]:
    found: dict[str, str] = scaled()["replica"]["environment"]
    return found


def test_what_the_pods_are_set_to_are_settings_and_secrets_are_in_the_secret() -> None:
    secret, public = manifest()["Secret"]["stringData"], manifest()["ConfigMap"]["data"]
    sources = [next(iter(source.values()))["name"] for source in pod()["containers"][0]["envFrom"]]
    assert sources == [manifest()["ConfigMap"]["metadata"]["name"], manifest()["Secret"]["metadata"]["name"]]
    made = Settings(**settings_in({**secret, **public}))
    assert made.fetch == "public"
    assert settings_in(secret).keys() == {"database_url", "control_token"}
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= secret.keys()
    assert "AWS_REGION" in public


def test_the_pods_run_as_the_user_of_the_image_and_may_do_nothing_else() -> None:
    (container,) = pod()["containers"]
    assert str(pod()["securityContext"]["runAsUser"]) == the("USER")
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "privileged": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["image"] == compose()["services"]["runware-mock"]["image"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp", the("VOLUME")}  # noqa: S108 - of the pod
    assert container["resources"].keys() == {"requests", "limits"}


def test_the_parts_of_the_manifest_fit_one_another() -> None:
    found = manifest()
    deployment, (container,) = found["Deployment"]["spec"], pod()["containers"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["replicas"] == 3
    assert deployment["selector"]["matchLabels"] == labels == found["Service"]["spec"]["selector"]
    budget = found["PodDisruptionBudget"]["spec"]
    assert budget["selector"]["matchLabels"] == labels
    assert 0 < budget["minAvailable"] < deployment["replicas"]
    (port,) = container["ports"]
    assert str(port["containerPort"]) == the("EXPOSE")
    (served,) = found["Service"]["spec"]["ports"]
    assert served["targetPort"] == port["name"]
    ((path,),) = [rule["http"]["paths"] for rule in found["Ingress"]["spec"]["rules"]]
    assert path["backend"]["service"] == {
        "name": found["Service"]["metadata"]["name"],
        "port": {"name": served["name"]},
    }


def test_a_pod_has_the_time_to_stop_that_a_container_has() -> None:
    def seconds(text: str) -> int:
        return int(text.removesuffix("s"))

    pause_s = seconds(pod()["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    # A server stops within ten seconds: see test_stop.py.
    least_s = 10
    for service in (compose()["services"]["runware-mock"], scaled()["replica"]):
        assert seconds(service["stop_grace_period"]) > least_s
    assert pod()["terminationGracePeriodSeconds"] - pause_s > least_s


def test_the_probes_ask_what_a_server_answers(tmp_path: Path) -> None:
    (container,) = pod()["containers"]
    paths = {kind: container[kind]["httpGet"]["path"] for kind in ("livenessProbe", "readinessProbe", "startupProbe")}
    assert paths == {"livenessProbe": "/health", "readinessProbe": "/ready", "startupProbe": "/health"}
    asked = {
        *paths.values(),
        manifest()["Deployment"]["spec"]["template"]["metadata"]["annotations"]["prometheus.io/path"],
    }
    with mock_process(tmp_path) as server:
        assert {plain.get(f"{server.url}{path}").status_code for path in asked} == {200}
