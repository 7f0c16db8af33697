/* Running a model.pare: the C interface of the package pare_integer (C99 and C++).
 *
 * A model is loaded once and never changes; any number of threads may use it. A runner is one
 * thread's way to run it: it holds the memory for that, so that running allocates nothing and
 * cannot fail but by its arguments. Codes are int8, images height x width x channels, channels
 * last, one behind the other; real = (code - zero point) * scale. Everything is computed with
 * integers, and the codes are the same on every processor. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pare_model pare_model;
typedef struct pare_runner pare_runner;

/* A tensor at an end of the network. */
typedef struct {
  int32_t height, width, channels;
  int32_t zero_point;
  uint32_t scale_bits; /* of a float32 */
} pare_tensor;

typedef enum {
  PARE_OK = 0,
  PARE_NULL = -1,     /* an argument is NULL */
  PARE_RANGE = -2,    /* a code lies outside the input's range: nothing was run */
  PARE_NO_PIXELS = -3 /* the model has no table of pixel codes */
} pare_status;

/* NULL where the file is missing or damaged, or the first argument is NULL; then `message` (may be
   NULL) says why, cut to message_size bytes with their 0. The bytes may go once pare_load_memory
   returns. */
pare_model* pare_load_file(const char* path, char* message, size_t message_size);
pare_model* pare_load_memory(const void* bytes, size_t size, char* message, size_t message_size);
void pare_model_free(pare_model* model); /* after its runners */

/* Of a model, which must not be NULL. */
pare_tensor pare_input(const pare_model* model);
pare_tensor pare_output(const pare_model* model);
size_t pare_input_size(const pare_model* model); /* codes of one image */
size_t pare_output_size(const pare_model* model);
size_t pare_arena_size(const pare_model* model); /* bytes of activations of one image */

/* NULL where memory is short or the model is NULL. */
pare_runner* pare_runner_new(const pare_model* model);
void pare_runner_free(pare_runner* runner);

/* `codes`: images * input_size; `outputs`: images * output_size. */
pare_status pare_run(pare_runner* runner, const int8_t* codes, size_t images, int8_t* outputs);
/* The same for bytes, through the table of the data's normalisation. */
pare_status pare_run_pixels(pare_runner* runner, const uint8_t* pixels, size_t images,
                            int8_t* outputs);

/* The class of one image: the smallest index among the largest of `count` outputs. */
int32_t pare_label(const int8_t* outputs, size_t count);

#ifdef __cplusplus
}
#endif
