"""Makes events.tfevents: what TensorBoard's own writer makes of the events in train/tests/events.rs.

pip install tensorboard==2.21.0
python events.py          # writes beside itself; with a folder as argument, prints what TensorBoard reads there
"""
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def scalars(**values):
    values = [summary_pb2.Summary.Value(tag=tag.replace("__", "/"), simple_value=v) for tag, v in values.items()]
    return summary_pb2.Summary(value=values)


def text(tag, content):
    shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])
    tensor = tensor_pb2.TensorProto(dtype=7, tensor_shape=shape, string_val=[content.encode()])
    metadata = summary_pb2.SummaryMetadata(data_class=summary_pb2.DataClass.DATA_CLASS_TENSOR)
    metadata.plugin_data.plugin_name = "text"
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)])


def picture(tag, height, width, encoded):
    image = summary_pb2.Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=encoded)
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, image=image)])


def write(path):
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for event in (
            event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2"),
            event_pb2.Event(wall_time=1700000001.5, step=1, session_log=start),
            event_pb2.Event(wall_time=1700000002.0, step=0, summary=text("recipe", "```\nname = \"größe\"\n```")),
            event_pb2.Event(wall_time=1700000003.0, step=300, summary=scalars(train__loss=0.75, train__lr=1e-3)),
            event_pb2.Event(wall_time=1700000003.5, step=300, summary=picture("val/pictures", 2, 4, b"\x89PNG...")),
            event_pb2.Event(wall_time=1700000004.0, step=90000, summary=scalars(val__mean_iou=0.0)),
        ):
            writer.write(event.SerializeToString())


def show(folder):
    accumulator = EventAccumulator(folder)
    accumulator.Reload()
    tags = accumulator.Tags()
    for tag in tags["scalars"]:
        print(tag, [(e.step, round(e.value, 6)) for e in accumulator.Scalars(tag)])
    for tag in tags["images"]:
        print(tag, [(e.step, e.width, e.height, len(e.encoded_image_string)) for e in accumulator.Images(tag)])
    for tag in tags["tensors"]:
        print(tag, [(e.step, e.tensor_proto.string_val or e.tensor_proto.float_val) for e in accumulator.Tensors(tag)])


if len(sys.argv) > 1:
    show(sys.argv[1])
else:
    write(Path(__file__).with_name("events.tfevents"))
