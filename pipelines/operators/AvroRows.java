import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.RuntimeContextInitializationContextAdapters;
import org.apache.flink.streaming.api.graph.StreamConfig;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.tasks.StreamTask;
import org.apache.flink.types.Row;

/**
 * The records of one topic among the rows that a Python operator emits, decoded as a Kafka table would decode them.
 *
 * <p>Flink compiles this text where it runs, as it does the code of its own plans: nothing is built or deployed. Its
 * compiler (Janino) knows neither lambdas nor inferred types. In: (topic, key, values, times in ms). Out: RowData, and
 * the watermark that a Kafka table gives, one millisecond behind a row's event time; but before the row, so that what
 * waited for the time is on its way first.
 */
public class AvroRows extends AbstractStreamOperator implements OneInputStreamOperator {
  private final String topic;
  private final DeserializationSchema format;
  private transient long watermark;

  public AvroRows(Object[] references, StreamTask task, StreamConfig config, Output output, ProcessingTimeService time)
      throws Exception {
    topic = (String) references[0];
    format = (DeserializationSchema) references[1];
    setup(task, config, output);
    setProcessingTimeService(time);
  }

  public void open() throws Exception {
    super.open();
    watermark = Long.MIN_VALUE;
    format.open(RuntimeContextInitializationContextAdapters.deserializationAdapter(getRuntimeContext()));
  }

  public void processElement(StreamRecord element) throws Exception {
    Row row = (Row) element.getValue();
    if (!topic.equals(row.getField(0))) {
      return;
    }
    Object[] values = (Object[]) row.getField(2);
    Object[] times = (Object[]) row.getField(3);
    for (int i = 0; i < values.length; i++) {
      long time = ((Long) times[i]).longValue();
      if (time - 1 > watermark) {
        watermark = time - 1;
        output.emitWatermark(new Watermark(watermark));
      }
      output.collect(new StreamRecord(format.deserialize((byte[]) values[i]), time));
    }
  }

  /** Time is told by the rows: what comes from upstream knows less, but that all is over. */
  public void processWatermark(Watermark mark) throws Exception {
    if (mark.equals(Watermark.MAX_WATERMARK)) {
      super.processWatermark(mark);
    }
  }
}
