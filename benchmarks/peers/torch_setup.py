"""What a PyTorch computes with, and whether that is its best: facts(), untuned(), summary()."""

import os
import re
import sys

# What each answer of README.md costs where it is missing is measured there.
TUNING = "benchmarks/peers/README.md says how to tune it"


def found(pattern, text):
    match = re.search(pattern, text)
    return match[1].strip() if match else None


def loaded_blas():
    """The path of the BLAS library in this process, or null; what numpy brings for itself does not count."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = {line.split()[-1] for line in maps if "blas" in line or "blis" in line}
    paths = sorted(path for path in paths if "numpy.libs" not in path)
    known = [path for path in paths if re.search(r"/lib(openblas|blis)[^/]*$", path)]
    return ", ".join(known or paths) or None


def processor_has_avx512():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        return "avx512f" in info.read()


def facts(torch, wanted_threads):
    config = torch.__config__.show()
    blas = loaded_blas()
    if torch.backends.mkl.is_available():
        blas = "MKL " + (found(r"Math Kernel Library Version (\S+)", config) or "")
    return {
        "torch": torch.__version__,
        "python": sys.executable,
        "threads": torch.get_num_threads(),
        "wanted_threads": wanted_threads,
        "backend": found(r"ATen parallel backend: (.+)", torch.__config__.parallel_info()),
        "blas": blas and blas.strip(),
        "onednn": found(r"MKL-DNN v([\d.]+)", config) if torch.backends.mkldnn.is_available() else None,
        "vectors": found(r"CPU capability usage: (\S+)", config),
        "avx512": processor_has_avx512(),
        "keeps_memory": "mmap_threshold" in os.environ.get("GLIBC_TUNABLES", "")
                        or "malloc" in os.environ.get("LD_PRELOAD", ""),
        "coretype": os.environ.get("OPENBLAS_CORETYPE"),
    }


def untuned(f):
    """Why it is slower than it could be, one sentence a reason; empty where it is tuned."""
    blas, reasons = f["blas"] or "", []
    if f["threads"] != f["wanted_threads"]:
        reasons.append(f"it uses {f['threads']} threads, not {f['wanted_threads']}")
    if not f["onednn"]:
        reasons.append("it was built without oneDNN, or that is off")
    if not re.search("mkl|openblas|blis", blas, re.IGNORECASE):
        reasons.append(f"its BLAS is {blas or 'not known'}, not MKL, OpenBLAS or BLIS")
    if "pthread" in blas and f["threads"] > 1:
        reasons.append("the threads of OpenBLAS spin beside those of OpenMP")
    if f["coretype"] and "openblas" in blas:
        reasons.append(f"OPENBLAS_CORETYPE={f['coretype']} holds OpenBLAS back")
    if f["avx512"] and "AVX512" not in (f["vectors"] or ""):
        reasons.append(f"its vectors are {f['vectors']} on a processor with AVX-512")
    if not f["keeps_memory"]:
        reasons.append("memory goes back to the system at each step, so each pays page faults")
    return reasons


def summary(f):
    """One line for people."""
    return (f"{f['python']}, {f['threads']} threads ({f['backend']}), BLAS {f['blas']}, oneDNN {f['onednn']}, "
            f"vectors {f['vectors']}")


def details(torch, wanted_threads, layout):
    """What bench prints of a peer: its facts, `setup` and `untuned`."""
    f = facts(torch, wanted_threads)
    return {**f, "layout": layout, "setup": summary(f), "untuned": untuned(f)}
