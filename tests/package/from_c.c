/* The C interface from C: from_c MODEL.pare prints the sizes of the model, or why there is none. */
#include <pare_integer.h>
#include <stdio.h>

int main(int count, char **words)
{
  char message[100];
  pare_model *model = count == 2 ? pare_load_file(words[1], message, sizeof message) : NULL;
  if (model == NULL) {
    puts(message);
    return 3;
  }
  printf("%d x %d x %d -> %d\n", (int)pare_input(model).height, (int)pare_input(model).width,
         (int)pare_input(model).channels, (int)pare_output_size(model));
  pare_model_free(model);
  return 0;
}
