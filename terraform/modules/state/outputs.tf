output "bucket" {
  description = "The bucket's name, as terraform init -backend-config wants it."
  value       = aws_s3_bucket.this.bucket
}
