output "task_definitions" {
  description = "By service: the task definition that this release wants to run, with its revision."
  value       = { for name, service in module.service : name => service.task_definition_arn }
}

output "alarm_topic_arn" {
  description = "Where alarms are told."
  value       = module.alarms.topic_arn
}

output "images" {
  description = "By service: the image of this release."
  value       = { for name, image in var.images : name => image.reference }
}
