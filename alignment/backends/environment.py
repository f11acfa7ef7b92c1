"""What a process may see of our environment: no secrets, no telemetry, no hub by chance."""

import os
from collections.abc import Iterable
from pathlib import Path

# Where programs and libraries are, how people write, and what torch may use of the machine.
PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR"),
    *("LD_LIBRARY_PATH", "XDG_CACHE_HOME", "OMP_NUM_THREADS", "MKL_NUM_THREADS"),
)
PASSED_ON_STARTS = ("LC_", "CUDA_", "NVIDIA_", "NCCL_", "PYTORCH_", "TORCH_", "ROCR_", "HIP_")
# Only a base model that is a name on the hub needs to go there, and may need to sign in.
FOR_THE_HUB = (
    *("HF_TOKEN", "HF_ENDPOINT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "WANDB_DISABLED": "true",
    "WANDB_MODE": "disabled",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
}


def environment(*, code: Iterable[Path], cache: Path, online: bool) -> dict[str, str]:
    """The environment of a process that imports from `code` and keeps downloads in `cache`."""
    seen = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON
        or name.startswith(PASSED_ON_STARTS)
        or (online and name in FOR_THE_HUB)
    }
    return {
        **seen,
        **QUIET,
        **({"TRUING_ALLOW_HUB": "1"} if online else {}),
        "HF_HUB_OFFLINE": "0" if online else "1",
        "HF_HOME": str(cache),
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in code),
    }
