// Distributions that tests need: Student's t and the normal. Double precision, relative errors
// below 1e-12 over what a test meets; tests hold them against tabulated values.
#pragma once

namespace pare {

// P(T <= t) for `degrees` of freedom > 0.
double student_cdf(double t, double degrees);
// The t with P(T <= t) = p, for 0 < p < 1.
double student_quantile(double p, double degrees);

// I_x(a, b), the regularized incomplete beta function, for 0 <= x <= 1 (Abramowitz & Stegun 26.5).
double incomplete_beta(double x, double a, double b);

}  // namespace pare
