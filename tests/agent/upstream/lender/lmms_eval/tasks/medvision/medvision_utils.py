"""A stand-in of upstream's functions: the same names and arguments, and words of its own."""

from medvision_bm.sft.sft_prompts import FORM


def _load_nifti_2d(path, slice_dim, slice_idx, new_shape_hw=None):
    raise AssertionError("no volume is read")


def get_resized_img_shape(model_name, image, settings):
    raise AssertionError("no checkpoint is loaded")


def _task(module, doc):
    return module.benchmark_plan["tasks"][int(doc["taskID"]) - 1]


def _label(module, doc):
    return _task(module, doc)["labels_map"][str(doc["label"])]


def _sizes(doc):
    spacing, image = _load_nifti_2d(doc["image_file"], doc["slice_dim"], doc["slice_idx"])
    (height, width), content = get_resized_img_shape("", image, {})
    down, across = (mm * was / now for mm, was, now in zip(spacing, image.shape, content, strict=True))
    return f"{width} x {height} px of {across:.3f} x {down:.3f} mm"


def _points(task, line):
    return " to ".join(task[line["element_map_name"]][key] for key in line["element_keys"])


def create_doc_to_text_BoxCoordinate(module):
    print("upstream prints while it works")
    return lambda doc, _=None: f"Stand-in: where is the {_label(module, doc)}? {FORM}"


def create_doc_to_text_TumorLesionSize(module):
    return lambda doc, _=None: f"Stand-in: how large is the {_label(module, doc)}, {_sizes(doc)}? {FORM}"


def create_doc_to_text_BiometricsFromLandmarks(module):
    def text(doc, _=None):
        profile, task = doc["biometric_profile"], _task(module, doc)
        asked = task[profile["metric_map_name"]][profile["metric_key"]]
        if profile["metric_type"] == "distance":
            return f"Stand-in: how far is {_points(task, asked)}, {_sizes(doc)}? {FORM}"
        lines = task[asked["element_map_name"]]
        between = " and ".join(_points(task, lines[key]) for key in asked["element_keys"])
        return f"Stand-in: at what angle are {between}, {_sizes(doc)}? {FORM}"

    return text


def create_doc_to_text_BoxCoordinate_CoT(module):
    return lambda doc, _=None: f"{create_doc_to_text_BoxCoordinate(module)(doc)} Step by step."


def create_doc_to_text_TumorLesionSize_CoT(module):
    return lambda doc, _=None: f"{create_doc_to_text_TumorLesionSize(module)(doc)} Step by step."


def create_doc_to_text_BiometricsFromLandmarks_CoT(module):
    return lambda doc, _=None: f"{create_doc_to_text_BiometricsFromLandmarks(module)(doc)} Step by step."
