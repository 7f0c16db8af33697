#include "compression/exporters/c99/kernels.h"

namespace pare::c99 {

const char* const kTypes = R"(
/* The codes of a tensor: the one that stands for 0, the smallest, the largest. */
typedef struct {
  int16_t zero_point, low, high;
} range_t;

/* A window that slides over an image. Taps outside the image count as 0. */
typedef struct {
  side_t in_height, in_width, channels, out_height, out_width;
  side_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
} window_t;

/* The taps of one output pixel that lie inside the image: rows [ky0, ky1), columns [kx0, kx1). */
typedef struct {
  int32_t top, left, ky0, ky1, kx0, kx1;
} taps_t;

/* Shifts of negative numbers must keep the sign, as they do in every compiler we know of. */
typedef char shifts_keep_the_sign[((-1) >> 1) == -1 ? 1 : -1];
)";

const char* const kTaps = R"(
static taps_t taps_of(const window_t *w, int32_t y, int32_t x)
{
  taps_t t;
  t.top = y * w->stride_h - w->pad_top;
  t.left = x * w->stride_w - w->pad_left;
  t.ky0 = t.top < 0 ? -t.top : 0;
  t.kx0 = t.left < 0 ? -t.left : 0;
  t.ky1 = w->in_height - t.top < w->kernel_h ? w->in_height - t.top : w->kernel_h;
  t.kx1 = w->in_width - t.left < w->kernel_w ? w->in_width - t.left : w->kernel_w;
  return t;
}
)";

const char* const kScaleTwice = R"(
/* x * multiplier * 2^(shift - 31), rounded twice: the doubled high half of the product to nearest,
   ties up; then its quotient by 2^-shift to nearest, ties away from 0. x * 2^shift fits 32 bits. */
static int32_t scale(int32_t x, int32_t multiplier, int32_t shift)
{
  const int32_t left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
  const int64_t product = (int64_t)x * ((int64_t)1 << left) * multiplier;
  const int32_t high = (int32_t)((product + ((int64_t)1 << 30)) >> 31);
  const int32_t mask = (int32_t)(((uint32_t)1 << right) - 1u);
  const int32_t half = (mask >> 1) + (high < 0 ? 1 : 0);
  return (high >> right) + ((high & mask) > half ? 1 : 0);
}
)";

const char* const kScaleOnce = R"(
/* x * multiplier * 2^(shift - 31) to nearest, ties up. x * 2^shift fits 32 bits. */
static int32_t scale(int32_t x, int32_t multiplier, int32_t shift)
{
  const int32_t right = 31 - shift;
  return (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << (right - 1))) >> right);
}
)";

const char* const kRequantize = R"(
static int8_t requantize(int32_t sum, int32_t multiplier, int32_t shift, const range_t *r)
{
  const int32_t code = scale(sum, multiplier, shift);
  /* Compared before the zero point is added, for the sum of the two may not fit. */
  if (code <= r->low - r->zero_point) return (int8_t)r->low;
  if (code >= r->high - r->zero_point) return (int8_t)r->high;
  return (int8_t)(code + r->zero_point);
}
)";

const char* const kClampCode = R"(
static int8_t clamp_code(int32_t code, const range_t *r)
{
  return (int8_t)(code < r->low ? r->low : code > r->high ? r->high : code);
}
)";

const char* const kStream = R"(
/* Weights as bits, read from the lowest bit of each byte on. */
typedef struct {
  const uint8_t *next;
  uint32_t bits;
  int32_t have;  /* bits that are read and not taken */
  int32_t zeros; /* weights that are 0 and come before the next one that is stored */
} stream_t;

static uint32_t take(stream_t *s, int32_t count)
{
  uint32_t value;
  while (s->have < count) {
    s->bits |= (uint32_t)*s->next++ << s->have;
    s->have += 8;
  }
  value = s->bits & (((uint32_t)1 << count) - 1u);
  s->bits >>= count;
  s->have -= count;
  return value;
}

/* The number of zeros up to the next weight: pieces of gap_bits, one that is all ones goes on. */
static int32_t gap(stream_t *s, const weights_t *w)
{
  const uint32_t most = ((uint32_t)1 << w->gap_bits) - 1u;
  int32_t zeros = 0;
  uint32_t piece;
  if (w->gap_bits == 0) return 0;
  do {
    piece = take(s, w->gap_bits);
    zeros += (int32_t)piece;
  } while (piece == most);
  return zeros;
}

static weight_t stored(stream_t *s, const weights_t *w)
{
  const uint32_t code = take(s, w->code_bits);
  return w->levels != NULL ? w->levels[code] : (weight_t)(w->lowest + (int32_t)code);
}

static stream_t open_stream(const weights_t *w)
{
  stream_t s;
  s.next = w->stream;
  s.bits = 0;
  s.have = 0;
  s.zeros = w->stream != NULL ? gap(&s, w) : 0;
  return s;
}
)";

const char* const kPlainRow = R"(
#define OPEN_ROWS(layer) ((void)0)
#define ROW(layer, channel, taps, scratch) ((layer)->weights.plain + (channel) * (taps))
)";

const char* const kAnyRow = R"(
/* The weights of the next output channel, unpacked into `row` where they are a stream. */
static const weight_t *next_row(stream_t *s, const weights_t *w, int32_t channel, int32_t taps,
                                weight_t *row)
{
  int32_t at = s->zeros;
  if (w->stream == NULL) return w->plain + channel * taps;
  memset(row, 0, (size_t)taps * sizeof *row);
  while (at < taps) {
    row[at] = stored(s, w);
    at += 1 + gap(s, w);
  }
  s->zeros = at - taps;
  return row;
}

#define OPEN_ROWS(layer) stream_t rows = open_stream(&(layer)->weights)
#define ROW(layer, channel, taps, scratch) \
  next_row(&rows, &(layer)->weights, channel, taps, scratch)
)";

const char* const kLayer = R"(
/* A convolution of any kind. `depth`: input channels that one output channel reads, `per_group`:
   output channels that read the same ones. The largest sum of a window of pool_h x pool_w gives the
   code, for codes never fall while sums rise. */
typedef struct {
  window_t window; /* out_height and out_width: behind the pooling */
  side_t depth, per_group, outputs, pool_h, pool_w, pool_stride_h, pool_stride_w;
  int16_t in_zero_point;
  range_t range;
  weights_t weights;
  const int32_t *bias;
  const int32_t *multiplier;
  const int8_t *shift;
)";

const char* const kFractionBits = R"(  int16_t fraction_bits; /* of the bias */
)";

const char* const kWholeBias = R"(
#define FIRST_SUM(layer, channel) ((layer)->bias[channel])
#define ALL_OF(layer, channel, sum) (sum)
)";

const char* const kFineBias = R"(
/* A bias has bits behind the point of the sums; a sum starts at those before it. */
#define FIRST_SUM(layer, channel) ((layer)->bias[channel] >> (layer)->fraction_bits)
#define ALL_OF(layer, channel, sum)                 \
  ((sum) * ((int32_t)1 << (layer)->fraction_bits) + \
   ((layer)->bias[channel] & (((int32_t)1 << (layer)->fraction_bits) - 1)))
)";

const char* const kConvolve = R"(
static int32_t dot(const weight_t *w, const int8_t *x, int32_t count, int32_t zero, int32_t sum)
{
  const weight_t *const end = w + count;
  while (w != end) sum += *w++ * (*x++ - zero);
  return sum;
}

static int32_t convolve_pixel(const layer_t *l, const weight_t *row, const int8_t *in, int32_t y,
                              int32_t x, int32_t sum)
{
  const window_t *w = &l->window;
  const taps_t t = taps_of(w, y, x);
  const int32_t depth = l->depth, channels = w->channels, zero = l->in_zero_point;
  int32_t ky, kx;
  for (ky = t.ky0; ky < t.ky1; ++ky) {
    const int8_t *from = in + ((t.top + ky) * w->in_width + t.left + t.kx0) * channels;
    const weight_t *weight = row + (ky * w->kernel_w + t.kx0) * depth;
    if (depth == channels) { /* the columns of a row run into each other */
      sum = dot(weight, from, (t.kx1 - t.kx0) * depth, zero, sum);
      continue;
    }
    for (kx = t.kx0; kx < t.kx1; ++kx) {
      sum = dot(weight, from, depth, zero, sum);
      weight += depth;
      from += channels;
    }
  }
  return sum;
}

static void convolve(const layer_t *l, const int8_t *in, int8_t *out, weight_t *scratch)
{
  const int32_t taps = (int32_t)l->window.kernel_h * l->window.kernel_w * l->depth;
  int32_t c, y, x, dy, dx;
  OPEN_ROWS(l);
  (void)scratch;
  for (c = 0; c < l->outputs; ++c) {
    const weight_t *row = ROW(l, c, taps, scratch);
    const int8_t *from = in + c / l->per_group * l->depth;
    int8_t *to = out + c;
    for (y = 0; y < l->window.out_height; ++y) {
      for (x = 0; x < l->window.out_width; ++x) {
        int32_t largest = INT32_MIN;
        for (dy = 0; dy < l->pool_h; ++dy) {
          for (dx = 0; dx < l->pool_w; ++dx) {
            const int32_t sum = convolve_pixel(l, row, from, y * l->pool_stride_h + dy,
                                               x * l->pool_stride_w + dx, FIRST_SUM(l, c));
            if (sum > largest) largest = sum;
          }
        }
        *to = requantize(ALL_OF(l, c, largest), l->multiplier[c], l->shift[c], &l->range);
        to += l->outputs;
      }
    }
  }
}
)";

const char* const kDenseStream = R"(
static void dense_stream(const layer_t *l, const int8_t *in, int8_t *out)
{
  const weights_t *w = &l->weights;
  const int32_t count = l->depth, zero = l->in_zero_point;
  stream_t s = open_stream(w);
  int32_t c, at;
  for (c = 0; c < l->outputs; ++c) {
    int32_t sum = FIRST_SUM(l, c);
    for (at = s.zeros; at < count; at += 1 + gap(&s, w)) sum += stored(&s, w) * (in[at] - zero);
    s.zeros = at - count;
    out[c] = requantize(ALL_OF(l, c, sum), l->multiplier[c], l->shift[c], &l->range);
  }
}
)";

const char* const kMaxPool = R"(
static void max_pool(const window_t *w, const range_t *range, const int8_t *in, int8_t *out)
{
  int32_t c, y, x, ky, kx;
  for (y = 0; y < w->out_height; ++y) {
    for (x = 0; x < w->out_width; ++x) {
      const taps_t t = taps_of(w, y, x);
      for (c = 0; c < w->channels; ++c) {
        int32_t largest = -128;
        for (ky = t.ky0; ky < t.ky1; ++ky) {
          const int8_t *from = in + ((t.top + ky) * w->in_width + t.left + t.kx0) * w->channels + c;
          for (kx = t.kx0; kx < t.kx1; ++kx) {
            const int32_t code = *from;
            from += w->channels;
            if (code > largest) largest = code;
          }
        }
        *out++ = clamp_code(largest, range);
      }
    }
  }
}
)";

const char* const kAveragePool = R"(
/* Sums to nearest, ties away from 0. The zero point stays in, for both sides share it. */
static void average_pool(const window_t *w, const range_t *range, const int8_t *in, int8_t *out)
{
  int32_t c, y, x, ky, kx;
  for (y = 0; y < w->out_height; ++y) {
    for (x = 0; x < w->out_width; ++x) {
      const taps_t t = taps_of(w, y, x);
      const int32_t count = (t.ky1 - t.ky0) * (t.kx1 - t.kx0);
      for (c = 0; c < w->channels; ++c) {
        int32_t sum = 0;
        for (ky = t.ky0; ky < t.ky1; ++ky) {
          const int8_t *from = in + ((t.top + ky) * w->in_width + t.left + t.kx0) * w->channels + c;
          for (kx = t.kx0; kx < t.kx1; ++kx) {
            sum += *from;
            from += w->channels;
          }
        }
        *out++ = clamp_code((sum > 0 ? sum + count / 2 : sum - count / 2) / count, range);
      }
    }
  }
}
)";

const char* const kGlobalAverage = R"(
/* The multiplier holds 1 / pixels too. */
typedef struct {
  int32_t pixels, channels, multiplier;
  int16_t shift, in_zero_point;
  range_t range;
} global_average_t;

static void global_average(const global_average_t *l, const int8_t *in, int8_t *out)
{
  int32_t c, i;
  for (c = 0; c < l->channels; ++c) {
    int32_t sum = 0;
    for (i = 0; i < l->pixels; ++i) sum += in[i * l->channels + c] - l->in_zero_point;
    out[c] = requantize(sum, l->multiplier, l->shift, &l->range);
  }
}
)";

const char* const kAdd = R"(
/* Both operands get 20 bits behind the point before they are scaled to one grid. */
typedef struct {
  int32_t count, multiplier_a, multiplier_b, multiplier;
  int16_t shift_a, shift_b, shift, zero_point_a, zero_point_b;
  range_t range;
} add_t;

static void add(const add_t *l, const int8_t *a, const int8_t *b, int8_t *out)
{
  int32_t i;
  for (i = 0; i < l->count; ++i) {
    const int32_t left = (a[i] - l->zero_point_a) * ((int32_t)1 << 20);
    const int32_t right = (b[i] - l->zero_point_b) * ((int32_t)1 << 20);
    out[i] = requantize(
        scale(left, l->multiplier_a, l->shift_a) + scale(right, l->multiplier_b, l->shift_b),
        l->multiplier, l->shift, &l->range);
  }
}
)";

const char* const kClamp = R"(
static void clamp_all(const range_t *range, int32_t count, const int8_t *in, int8_t *out)
{
  int32_t i;
  for (i = 0; i < count; ++i) out[i] = clamp_code(in[i], range);
}
)";

}  // namespace pare::c99
